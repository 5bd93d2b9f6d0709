import { _t } from "@web/core/l10n/translation";
import { formatInteger } from "@web/views/fields/formatters";

const WORDS = {
    pause: _t("Pause %s"),
    resume: _t("Resume %s"),
    stop: _t("Stop %s"),
    weight: _t("Weight of %s"),
    capacity: _t("Capacity of %s"),
};

/** A count with the separators of the user's language; `capped`: there are at least as many. */
export function count(value, capped = false) {
    return formatInteger(value || 0) + (capped ? "+" : "");
}

/** A rate per minute: tenths matter only where little happens. */
export function perMinute(rate) {
    return rate < 10 ? String(Math.round(10 * rate) / 10) : formatInteger(Math.round(rate));
}

/** What a button or an input without words of its own is called for who cannot see it. */
export function label(action, { name }) {
    return WORDS[action].toString().replace("%s", name);
}
