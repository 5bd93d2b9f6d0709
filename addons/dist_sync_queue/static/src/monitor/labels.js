import { _t } from "@web/core/l10n/translation";

const WORDS = {
    pause: _t("Pause %s"),
    resume: _t("Resume %s"),
    stop: _t("Stop %s"),
    weight: _t("Weight of %s"),
    capacity: _t("Capacity of %s"),
};

/** What a button or an input without words of its own is called for who cannot see it. */
export function label(action, { name }) {
    return WORDS[action].toString().replace("%s", name);
}
