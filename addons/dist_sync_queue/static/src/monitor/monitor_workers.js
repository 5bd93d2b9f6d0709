import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatSeconds } from "../journey/journey_fields";
import { count, label } from "./labels";

/** Workers with what they run, since when and how far. */
export class MonitorWorkers extends Component {
    static template = "dist_sync_queue.MonitorWorkers";
    static props = {
        workers: Array,
        count: Number,
        drained: Boolean,
        manager: Boolean,
        stop: Function,
        open: Function,
    };

    count = count;
    label = label;

    status(worker) {
        if (worker.silent) {
            return { icon: "fa-question-circle text-danger", text: _t("Does not answer") };
        }
        return worker.busy
            ? { icon: "fa-cog text-primary", text: _t("Works") }
            : { icon: "fa-circle-o text-muted", text: _t("Idle") };
    }

    since(worker) {
        return formatSeconds(worker.since);
    }

    silent(worker) {
        return formatSeconds(worker.silent);
    }

    percent(worker) {
        const { done, total } = worker.progress;
        return Math.min(100, Math.round((100 * done) / total));
    }
}
