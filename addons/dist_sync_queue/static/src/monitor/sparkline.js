import { Component } from "@odoo/owl";

export const SIZE = { width: 160, height: 36 };

/** Points of a polyline through `values`, the newest at the right edge. */
export function points(values, room) {
    const top = Math.max(1, ...values);
    const step = SIZE.width / (room - 1);
    const first = SIZE.width - (values.length - 1) * step;
    const y = (value) => SIZE.height - 2 - (value / top) * (SIZE.height - 4);
    return values
        .map((value, index) => `${(first + index * step).toFixed(1)},${y(value).toFixed(1)}`)
        .join(" ");
}

/** The last minutes of one figure, as a line; the figure itself stands beside it as text. */
export class Sparkline extends Component {
    static template = "dist_sync_queue.Sparkline";
    static props = { values: Array, room: Number, label: String };

    /** A short line is drawn larger at first, not as a dot at the edge. */
    get line() {
        const { values, room } = this.props;
        return points(values, Math.min(room, Math.max(values.length, 30)));
    }

    get viewBox() {
        return `0 0 ${SIZE.width} ${SIZE.height}`;
    }
}
