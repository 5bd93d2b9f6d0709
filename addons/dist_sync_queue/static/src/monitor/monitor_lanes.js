import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatSeconds } from "../journey/journey_fields";
import { count, label, perMinute } from "./labels";

/** Handlers named in one lane. */
const SHOWN = 5;

/** Lanes with what waits in them, and their pause, weight and capacity. */
export class MonitorLanes extends Component {
    static template = "dist_sync_queue.MonitorLanes";
    static props = {
        lanes: Array,
        handlers: Array,
        manager: Boolean,
        change: Function,
        open: Function,
    };

    count = count;
    label = label;
    perMinute = perMinute;

    age(lane) {
        return lane.oldest === null ? "" : formatSeconds(lane.oldest);
    }

    /** What waits, most first; of a lane with many handlers the first few. */
    work(lane) {
        const lines = [...lane.work].sort((a, b) => b.count - a.count);
        const shown = lines.slice(0, SHOWN).map((line) => `${line.name} (${count(line.count)})`);
        if (lines.length > SHOWN) {
            shown.push(_t("%s more", lines.length - SHOWN));
        }
        return shown.join(", ");
    }

    setNumber(lane, name, ev) {
        const value = Number(ev.target.value);
        const fits = name === "weight" ? value > 0 : Number.isInteger(value) && value >= 0;
        if (!ev.target.value || !fits) {
            ev.target.value = lane[name];
            return;
        }
        this.props.change("lane", lane.code, { [name]: value });
    }
}
