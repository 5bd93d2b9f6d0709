import { Component } from "@odoo/owl";
import { serializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const { DateTime } = luxon;

/**
 * Key of `today_counts` → how it is shown: `{label, kind, sequence, open(connectionId, midnight) → action}`.
 * `kind` is the kind of adapter that always shows it, also at zero. Addons add their own.
 */
export const todayCounts = registry.category("dist_today_counts");

export function outboxAction(name, type, connectionId, midnight) {
    return {
        type: "ir.actions.act_window",
        name,
        res_model: "dist.outbox.event",
        views: [
            [false, "list"],
            [false, "form"],
        ],
        domain: [
            ["connection_id", "=", connectionId],
            ["type", "=", type],
            ["state", "=", "delivered"],
            ["settled_at", ">=", midnight],
        ],
    };
}

/** What a connection did today, as figures that open the list behind them. */
export class TodayCountsField extends Component {
    static template = "dist_sync_queue.TodayCountsField";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
    }

    get figures() {
        const counts = this.props.record.data[this.props.name] || {};
        const kind = this.props.record.data.adapter_kind;
        return todayCounts
            .getEntries()
            .filter(([key, entry]) => entry.kind === kind || counts[key])
            .map(([key, entry]) => ({ key, ...entry, count: counts[key] || 0 }));
    }

    open(figure) {
        const midnight = serializeDateTime(DateTime.now().startOf("day"));
        this.action.doAction(figure.open(this.props.record.resId, midnight));
    }
}

registry.category("fields").add("dist_today_counts", {
    component: TodayCountsField,
    displayName: _t("Figures of today"),
    supportedTypes: ["json"],
    fieldDependencies: [{ name: "adapter_kind", type: "selection" }],
});
