import { Component, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { formatSeconds } from "../journey/journey_fields";
import { Health } from "./health";
import { count, perMinute } from "./labels";
import { MonitorConnections } from "./monitor_connections";
import { MonitorLanes } from "./monitor_lanes";
import { MonitorWorkers } from "./monitor_workers";
import { usePoller } from "./poller";
import { useProgress } from "./progress";
import { Sparkline } from "./sparkline";

/** Samples kept for the lines: five minutes at one per two seconds. */
const ROOM = 150;

/** The live picture of the engine; see `dist.monitor.snapshot`. */
export class Monitor extends Component {
    static template = "dist_sync_queue.Monitor";
    static components = {
        Health,
        Layout,
        MonitorConnections,
        MonitorLanes,
        MonitorWorkers,
        Sparkline,
    };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.room = ROOM;
        this.state = useState({
            tab: "live",
            data: null,
            error: "",
            at: null,
            history: { ready: [], done_per_minute: [] },
        });
        this.progress = useProgress(() => this.state.data?.workers || []);
        this.poller = usePoller(() => this.load());
    }

    async load() {
        this.progress.forget();
        try {
            const data = await this.orm.silent.call("dist.monitor", "snapshot", []);
            this.state.data = data;
            this.progress.show();
            this.state.error = "";
            this.state.at = luxon.DateTime.now();
            for (const [name, values] of Object.entries(this.state.history)) {
                values.push(data.tiles[name]);
                if (values.length > ROOM) {
                    values.shift();
                }
            }
            return true;
        } catch (error) {
            this.state.error =
                error instanceof ConnectionLostError
                    ? _t("Odoo does not answer.")
                    : error.data?.message || String(error.message || error);
            return false;
        }
    }

    get staleText() {
        return this.state.at
            ? _t("The figures are those of %s; trying again.", this.state.at.toFormat("HH:mm:ss"))
            : _t("Trying again.");
    }

    get tiles() {
        const { tiles } = this.state.data;
        const oldest = tiles.oldest === null ? "–" : formatSeconds(tiles.oldest);
        return [
            {
                key: "ready",
                label: _t("Ready"),
                value: count(tiles.ready, tiles.capped),
                line: "ready",
                filter: "pending",
            },
            { key: "running", label: _t("Running"), value: count(tiles.running) },
            {
                key: "done",
                label: _t("Done per minute"),
                value: perMinute(tiles.done_per_minute),
                line: "done_per_minute",
            },
            { key: "oldest", label: _t("Oldest ready"), value: oldest },
            {
                key: "later",
                label: _t("Planned"),
                value: this.capped(tiles.later),
                filter: "planned",
            },
            {
                key: "waiting",
                label: _t("Waiting for others"),
                value: this.capped(tiles.waiting),
                filter: "waiting",
            },
            {
                key: "parked",
                label: _t("Parked"),
                value: this.capped(tiles.parked),
                filter: "parked",
                icon: tiles.parked ? "fa-pause text-warning" : "",
            },
            {
                key: "dead",
                label: _t("Dead"),
                value: this.capped(tiles.dead),
                filter: "dead",
                icon: tiles.dead ? "fa-times-circle text-danger" : "",
            },
        ];
    }

    capped(value) {
        return count(value, value >= this.state.data.cap);
    }

    openJobs(filter, extra = {}) {
        return this.action.doAction("dist_sync_queue.dist_job_action", {
            additionalContext: {
                search_default_open: 0,
                [`search_default_${filter}`]: 1,
                ...extra,
            },
        });
    }

    openWorker(worker) {
        return this.openForm("dist.worker.slot", worker.id);
    }

    openConnection(connection) {
        return this.openForm("dist.connection", connection.id);
    }

    openForm(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    // -- actions of managers --------------------------------------------------------------------------------------
    /** Do it, show the new state at once, and tell what Odoo refuses. */
    async run(model, method, args) {
        await this.orm.call(model, method, args);
        await this.load();
    }

    setControl(kind, name, values) {
        return this.run("dist.monitor", "set_control", [kind, name, values]);
    }

    toggleConnection(connection) {
        const method = connection.state === "paused" ? "action_resume" : "action_pause";
        return this.run("dist.connection", method, [[connection.id]]);
    }

    setConnection(connection, values) {
        return this.run("dist.connection", "write", [[connection.id], values]);
    }

    stop(worker) {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Stop what runs?"),
            body: _t(
                "%(count)s jobs of “%(handler)s” are asked to stop. They end at their next safe point; what they did is undone, and they are cancelled.",
                { count: worker.jobs, handler: worker.handler }
            ),
            confirmLabel: _t("Stop"),
            confirm: () => this.run("dist.job", "action_cancel", [worker.job_ids]),
            cancelLabel: _t("Let it run"),
            cancel: () => {},
        });
    }
}

registry.category("actions").add("dist_monitor", Monitor);
