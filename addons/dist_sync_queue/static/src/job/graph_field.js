import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { BOX, layout, worst } from "./graph_layout";

/** Glyphs of the web client's icon font: an SVG has text, no pseudo-elements. */
const ICONS = {
    pending: "\uf252",
    waiting: "\uf017",
    parked: "\uf04c",
    done: "\uf00c",
    dead: "\uf00d",
    cancelled: "\uf05e",
};
const LINES = {
    stop: _t("a failure cancels what follows"),
    continue: _t("goes on after a failure"),
    undo: _t("takes it back"),
};

function shorten(text, length) {
    return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** The jobs before and after this one, as boxes with links; a box of many jobs opens their list. */
export class JobGraphField extends Component {
    static template = "dist_sync_queue.JobGraphField";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.box = BOX;
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    get picture() {
        const { value } = this;
        const placed = layout(value);
        return {
            ...placed,
            boxes: placed.boxes.map((box) => this.dressed(box)),
        };
    }

    dressed(box) {
        const count = box.ids.length;
        const state = worst(box.states);
        const names = this.value.states;
        const states = Object.entries(box.states)
            .map(([code, number]) => (count > 1 ? `${number} ${names[code]}` : names[code]))
            .join(", ");
        return {
            ...box,
            count,
            state,
            icon: ICONS[state] || "\uf10c",
            short: shorten(count > 1 ? `${count} × ${box.name}` : box.name, 23),
            detail: shorten(states, 32),
            title: _t("%(name)s: %(states)s", { name: box.name, states }),
        };
    }

    get legend() {
        return [...new Set(this.value.lines.map((line) => line.kind))].map((kind) => ({
            kind,
            text: LINES[kind],
        }));
    }

    onKeydown(ev, box) {
        if (ev.key === "Enter" || ev.key === " ") {
            ev.preventDefault();
            this.open(box);
        }
    }

    open(box) {
        const many = box.count > 1;
        const views = many ? ["list", "form"] : ["form"];
        this.action.doAction({
            type: "ir.actions.act_window",
            name: box.name,
            res_model: "dist.job",
            views: views.map((view) => [false, view]),
            ...(many ? { domain: [["id", "in", box.ids]] } : { res_id: box.ids[0] }),
        });
    }
}

registry.category("fields").add("dist_job_graph", {
    component: JobGraphField,
    displayName: _t("Graph of jobs"),
    supportedTypes: ["json"],
});
