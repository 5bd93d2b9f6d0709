import { Component, onWillUpdateProps, useState } from "@odoo/owl";
import { CheckBox } from "@web/core/checkbox/checkbox";
import { _t } from "@web/core/l10n/translation";
import {
    check,
    describe,
    getIn,
    isEmpty,
    isMissing,
    leaves,
    parse,
    setIn,
    toLocalInput,
    withDefaults,
} from "./schema";

const MASK = "••••••••";
let nextId = 1;

/**
 * A form drawn from a JSON Schema. It holds what is being typed and hands every complete entry to `onChange`.
 *
 * `stored`: values are kept elsewhere and never shown (credentials); empty entries then mean "as it is".
 * `valid`: false keeps wrong entries on the screen; when the owner sets it back to true they are dropped.
 * `handle.commit()` takes over what is typed but not left yet.
 */
export class JsonSchemaForm extends Component {
    static template = "dist_sync_queue.JsonSchemaForm";
    static components = { CheckBox };
    static props = {
        schema: Object,
        value: { type: Object, optional: true },
        readonly: { type: Boolean, optional: true },
        stored: { type: Boolean, optional: true },
        valid: { type: Boolean, optional: true },
        onChange: Function,
        onTyping: { type: Function, optional: true },
        handle: { type: Object, optional: true },
    };
    static defaultProps = { valid: true };

    setup() {
        this.uid = `dist_json_schema_${nextId++}`;
        this.state = useState({ value: {}, errors: {}, touched: {}, shown: {} });
        this.reset(this.props.value);
        if (this.props.handle) {
            this.props.handle.commit = () => this.commitDrafts();
        }
        onWillUpdateProps((next) => {
            const dropped =
                next.valid && Object.keys(this.state.errors).length && !this.props.valid;
            if (
                dropped ||
                JSON.stringify(next.value || {}) !== JSON.stringify(this.props.value || {})
            ) {
                this.reset(next.value);
            }
        });
    }

    reset(value) {
        this.state.value = JSON.parse(JSON.stringify(value || {}));
        this.state.errors = {};
        this.drafts = {};
    }

    get fields() {
        return describe(this.props.schema);
    }

    inputId(field) {
        return `${this.uid}_${field.id}`;
    }

    valueOf(field) {
        const value = getIn(this.state.value, field.path);
        return value === undefined || field.kind === "const" ? field.default : value;
    }

    textOf(field) {
        const value = this.valueOf(field);
        if (isEmpty(value)) {
            return "";
        }
        if (field.kind === "json") {
            return typeof value === "string" ? value : JSON.stringify(value, null, 2);
        }
        return String(value);
    }

    /** What stands in the input: what is being typed, where somebody types; a new rendering must not take it away. */
    inputValue(field) {
        if (field.id in this.drafts) {
            return this.drafts[field.id];
        }
        const text = this.textOf(field);
        return text && field.schema.format === "date-time" ? toLocalInput(text) : text;
    }

    listOf(field) {
        return [this.valueOf(field) ?? []].flat();
    }

    isSelected(field, option) {
        return String(option.value) === this.textOf(field);
    }

    /** What a reader sees. */
    shownText(field) {
        const value = this.valueOf(field);
        if (field.secret) {
            return isEmpty(value) && !this.props.stored ? "" : MASK;
        }
        if (field.kind === "boolean") {
            return value ? _t("Yes") : _t("No");
        }
        if (field.options) {
            return this.listOf(field)
                .map((one) => field.options.find((option) => option.value === one)?.label ?? one)
                .join(", ");
        }
        return field.kind === "strings" ? this.listOf(field).join(", ") : this.textOf(field);
    }

    placeholder(field) {
        return this.props.stored ? MASK : field.placeholder;
    }

    inputType(field) {
        return field.inputType === "password" && this.state.shown[field.id]
            ? "text"
            : field.inputType;
    }

    message(field) {
        const { errors, touched } = this.state;
        if (errors[field.id]) {
            return errors[field.id];
        }
        const missing = Object.keys(touched).length && isMissing(field, this.valueOf(field));
        return missing && !this.props.stored ? _t("This is needed.") : "";
    }

    onInput(field, ev) {
        this.drafts[field.id] = ev.target.value;
        delete this.state.errors[field.id];
        this.props.onTyping?.();
    }

    onKeydown(field, ev) {
        if (field.kind === "strings" && ["Enter", ","].includes(ev.key)) {
            ev.preventDefault();
            this.addItems(field, ev.target);
        }
    }

    onInputChange(field, ev) {
        if (field.kind === "strings") {
            return this.addItems(field, ev.target);
        }
        delete this.drafts[field.id];
        return this.set(field, parse(field, ev.target.value));
    }

    toggleShown(field) {
        this.state.shown[field.id] = !this.state.shown[field.id];
    }

    addItems(field, input) {
        const text = input.value;
        input.value = "";
        delete this.drafts[field.id];
        return text.trim() ? this.set(field, this.withItems(field, text)) : undefined;
    }

    withItems(field, text) {
        const items = text.split(/[,\n]/).map((item) => item.trim());
        return [...new Set([...this.listOf(field), ...items.filter(Boolean)])];
    }

    removeItem(field, item) {
        const rest = this.listOf(field).filter((one) => one !== item);
        return this.set(field, rest);
    }

    toggleItem(field, item, on) {
        const rest = this.listOf(field).filter((one) => one !== item);
        return this.set(field, on ? [...rest, item] : rest);
    }

    set(field, value) {
        this.state.touched[field.id] = true;
        return this.commit(setIn(this.state.value, field.path, value));
    }

    async commitDrafts() {
        const drafts = Object.entries(this.drafts);
        if (!drafts.length) {
            return;
        }
        const known = Object.fromEntries(leaves(this.fields).map((field) => [field.id, field]));
        let value = this.state.value;
        for (const [id, text] of drafts) {
            const field = known[id];
            if (field) {
                const typed =
                    field.kind === "strings" ? this.withItems(field, text) : parse(field, text);
                value = setIn(value, field.path, typed);
            }
        }
        this.drafts = {};
        await this.commit(value);
    }

    async commit(value) {
        const fields = this.fields;
        const complete = withDefaults(fields, value);
        const errors = {};
        for (const field of leaves(fields)) {
            const message = check(field, getIn(complete, field.path));
            if (message) {
                errors[field.id] = message;
            }
        }
        this.state.value = complete;
        this.state.errors = errors;
        await this.props.onChange(complete, !Object.keys(errors).length);
    }
}
