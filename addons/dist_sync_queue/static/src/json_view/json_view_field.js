import { Component, useState } from "@odoo/owl";
import { CopyButton } from "@web/core/copy_button/copy_button";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { masked } from "./masking";

const MANY = 100;

/** One value of a JSON document; objects and arrays open and close. */
export class JsonNode extends Component {
    static template = "dist_sync_queue.JsonNode";
    static props = {
        label: { type: [String, Number], optional: true },
        value: true,
        depth: Number,
        open: Number,
    };

    setup() {
        this.state = useState({ open: this.props.depth < this.props.open, shown: MANY });
    }

    get isBranch() {
        return this.props.value !== null && typeof this.props.value === "object";
    }

    get entries() {
        const { value } = this.props;
        return Array.isArray(value)
            ? value.map((part, index) => [index, part])
            : Object.entries(value);
    }

    get summary() {
        const count = this.entries.length;
        return Array.isArray(this.props.value) ? `[${count}]` : `{${count}}`;
    }

    get text() {
        const { value } = this.props;
        return typeof value === "string" ? `"${value}"` : String(value);
    }

    get textClass() {
        const { value } = this.props;
        return value === null ? "text-muted" : `o_dist_json_${typeof value}`;
    }
}
JsonNode.components = { JsonNode };

function parsed(value) {
    if (typeof value !== "string") {
        return value;
    }
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

/**
 * A JSON field to read: a tree that opens and closes, secrets masked by the names of their keys. A text is read as JSON;
 * one that is none is shown as it is, but for its secrets.
 *
 * `options="{'open': 2}"` says how many levels are open at first.
 */
export class JsonViewField extends Component {
    static template = "dist_sync_queue.JsonViewField";
    static components = { CopyButton, JsonNode };
    static props = { ...standardFieldProps, open: { type: Number, optional: true } };
    static defaultProps = { open: 2 };

    get value() {
        return masked(parsed(this.props.record.data[this.props.name]));
    }

    get isEmpty() {
        const { value } = this;
        return !value || (typeof value === "object" && !Object.keys(value).length);
    }

    get text() {
        return JSON.stringify(this.value, null, 2);
    }

    get key() {
        return `${this.props.record.resId}`;
    }
}

export const jsonViewField = {
    component: JsonViewField,
    displayName: _t("JSON document"),
    supportedTypes: ["json", "text"],
    supportedOptions: [{ label: _t("Open levels"), name: "open", type: "number" }],
    extractProps: ({ options }) => (options.open === undefined ? {} : { open: options.open }),
};

registry.category("fields").add("dist_json_view", jsonViewField);
