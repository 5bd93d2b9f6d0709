import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatSeconds } from "../journey/journey_fields";
import { count, label, perMinute } from "./labels";

const BREAKERS = {
    closed: { icon: "fa-check-circle text-success", text: _t("Breaker closed") },
    half_open: { icon: "fa-adjust text-warning", text: _t("Being tried again") },
    open: { icon: "fa-bolt text-danger", text: _t("Breaker open") },
};

/** Connections with their breaker, their budgets and what waits in the outbox. */
export class MonitorConnections extends Component {
    static template = "dist_sync_queue.MonitorConnections";
    static props = {
        connections: Array,
        cap: Number,
        manager: Boolean,
        toggle: Function,
        change: Function,
        open: Function,
    };

    label = label;
    perMinute = perMinute;
    noLimit = _t("no limit");

    badge({ state }) {
        return { active: "text-bg-success", paused: "text-bg-warning" }[state] || "text-bg-300";
    }

    breaker(connection) {
        return BREAKERS[connection.breaker];
    }

    age(connection) {
        return connection.oldest === null ? "" : formatSeconds(connection.oldest);
    }

    capped(value) {
        return count(value, value >= this.props.cap);
    }

    /** How full a bucket of the rate limit is, and what slows it down. */
    budget(budget) {
        const percent = budget.burst ? Math.round((100 * budget.tokens) / budget.burst) : 0;
        const notes = [];
        if (budget.blocked_seconds > 0) {
            notes.push(_t("blocked for %s", formatSeconds(budget.blocked_seconds)));
        }
        if (budget.factor !== undefined && budget.factor < 1) {
            notes.push(_t("slowed to %s %", Math.round(100 * budget.factor)));
        }
        return {
            percent: Math.max(0, Math.min(100, percent)),
            text: _t("%(tokens)s of %(burst)s", {
                tokens: Math.floor(budget.tokens),
                burst: Math.floor(budget.burst),
            }),
            notes: notes.join(", "),
            low: percent < 20,
        };
    }

    setCapacity(connection, ev) {
        const value = Number(ev.target.value);
        if (!ev.target.value || !Number.isInteger(value) || value < 0) {
            ev.target.value = connection.capacity;
            return;
        }
        this.props.change(connection, { job_capacity: value });
    }
}
