import { Component } from "@odoo/owl";
import { formatSeconds } from "../journey/journey_fields";
import { label } from "./labels";

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

    label = label;

    age(lane) {
        return lane.oldest === null ? "" : formatSeconds(lane.oldest) || "0 s";
    }

    work(lane) {
        return lane.work.map((line) => `${line.name} (${line.count})`).join(", ");
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
