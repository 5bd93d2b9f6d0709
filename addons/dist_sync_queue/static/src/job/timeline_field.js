import { Component } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { formatSeconds } from "../journey/journey_fields";

const LOOKS = {
    outside: { icon: "fa-globe", tone: "muted" },
    made: { icon: "fa-plus", tone: "muted" },
    planned: { icon: "fa-clock-o", tone: "info" },
    retry: { icon: "fa-repeat", tone: "warning" },
    snooze: { icon: "fa-pause", tone: "muted" },
    crash: { icon: "fa-bolt", tone: "danger" },
    dead: { icon: "fa-times", tone: "danger" },
    cancelled: { icon: "fa-ban", tone: "muted" },
    done: { icon: "fa-check", tone: "success" },
};

/** Milliseconds of a moment as the server tells it (UTC, ISO). */
function moment(iso) {
    return deserializeDateTime(iso.replace("T", " ").replace("Z", ""));
}

/** What happened to a job, as dots on a line; between two dots stands the time that passed. */
export class TimelineField extends Component {
    static template = "dist_sync_queue.TimelineField";
    static props = { ...standardFieldProps };

    get points() {
        const points = this.props.record.data[this.props.name] || [];
        return points.map((point, index) => {
            const at = moment(point.at);
            const before = index ? moment(points[index - 1].at) : null;
            return {
                ...point,
                key: index,
                ...(LOOKS[point.kind] || { icon: "fa-circle-o", tone: "muted" }),
                time: formatDateTime(at, { showSeconds: true }),
                gap: before ? formatSeconds((at.ts - before.ts) / 1000) : "",
                took: point.seconds ? _t("took %s", formatSeconds(point.seconds)) : "",
            };
        });
    }
}

registry.category("fields").add("dist_timeline", {
    component: TimelineField,
    displayName: _t("Timeline"),
    supportedTypes: ["json"],
});
