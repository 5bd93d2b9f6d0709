import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Kind of a journey step → icon and words; other addons add theirs. */
export const stepKinds = registry.category("dist_journey_kinds");
stepKinds
    .add("outbox", { icon: "fa-paper-plane-o", label: _t("Sent to the outside") })
    .add("job", { icon: "fa-cogs", label: _t("Work in Odoo") })
    .add("exception", {
        icon: "fa-exclamation-triangle text-warning",
        label: _t("Needs attention"),
    })
    .add("dead_letter", { icon: "fa-envelope-o text-danger", label: _t("Dead letter") });

const STATES = {
    success: {
        delivered: _t("Delivered"),
        done: _t("Done"),
        imported: _t("Imported"),
        shipped: _t("Shipped"),
        sale: _t("Confirmed"),
        confirmed: _t("Confirmed"),
        assigned: _t("Ready"),
    },
    danger: { dead: _t("Dead"), rejected: _t("Rejected"), exception: _t("Needs attention") },
    warning: {
        unknown: _t("Unknown"),
        parked: _t("Parked"),
        hold: _t("On hold"),
        open: _t("Open"),
        partially_shipped: _t("Partially shipped"),
        waiting: _t("Waiting"),
    },
    info: {
        pending: _t("Pending"),
        published: _t("Under way"),
        received: _t("Received"),
        draft: _t("Draft"),
        sent: _t("Sent"),
    },
    300: {
        cancelled: _t("Cancelled"),
        cancel: _t("Cancelled"),
        ignored: _t("Ignored"),
        replayed: _t("Replayed"),
        closed: _t("Closed"),
    },
};

function humanize(code) {
    const words = String(code).replace(/_/g, " ");
    return words.charAt(0).toUpperCase() + words.slice(1);
}

export class StepIconField extends Component {
    static template = "dist_sync_queue.StepIconField";
    static props = { ...standardFieldProps };

    get kind() {
        const code = this.props.record.data[this.props.name];
        return stepKinds.get(code, { icon: "fa-circle-o", label: humanize(code || "") });
    }
}

/** What happened, in words: the server's name of the event or work; else the record's kind and name. */
export class StepNameField extends Component {
    static template = "dist_sync_queue.StepNameField";
    static props = { ...standardFieldProps };

    get parts() {
        const { kind, name, event_label: label } = this.props.record.data;
        if (label) {
            return { text: label, detail: (name || "").split(" ").slice(1).join(" ") };
        }
        const record = stepKinds.get(kind, {});
        return { text: record.named ? record.label : name, detail: record.named ? name : "" };
    }
}

export class StepStateField extends Component {
    static template = "dist_sync_queue.StepStateField";
    static props = { ...standardFieldProps };

    get code() {
        return this.props.record.data[this.props.name];
    }

    get badge() {
        for (const [decoration, states] of Object.entries(STATES)) {
            if (this.code in states) {
                return { text: states[this.code], className: `text-bg-${decoration}` };
            }
        }
        return { text: humanize(this.code), className: "text-bg-300" };
    }
}

/** Seconds in the unit people read: 340 ms, 2.1 s, 3 min, 2 h, 4 d. */
export function formatSeconds(seconds) {
    if (seconds === null || seconds === undefined || seconds === false || seconds < 0) {
        return "";
    }
    if (!seconds) {
        return _t("0 s");
    }
    if (seconds < 1) {
        return _t("%s ms", Math.round(seconds * 1000));
    }
    if (seconds < 60) {
        return _t("%s s", Math.round(seconds * 10) / 10);
    }
    if (seconds < 3600) {
        return _t("%s min", Math.round(seconds / 60));
    }
    if (seconds < 48 * 3600) {
        return _t("%s h", Math.round(seconds / 3600));
    }
    return _t("%s d", Math.round(seconds / 86400));
}

export class SecondsField extends Component {
    static template = "dist_sync_queue.SecondsField";
    static props = { ...standardFieldProps };

    get text() {
        const seconds = this.props.record.data[this.props.name];
        return seconds ? formatSeconds(seconds) : "";
    }
}

const fields = registry.category("fields");
fields.add("dist_step_icon", { component: StepIconField, supportedTypes: ["char"] });
fields.add("dist_step_name", {
    component: StepNameField,
    supportedTypes: ["char"],
    fieldDependencies: [
        { name: "kind", type: "char" },
        { name: "event_label", type: "char" },
    ],
});
fields.add("dist_step_state", { component: StepStateField, supportedTypes: ["char", "selection"] });
fields.add("dist_seconds", { component: SecondsField, supportedTypes: ["float", "integer"] });
