import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useBus } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { JsonSchemaForm } from "./json_schema_form";

/**
 * A JSON field as a form, drawn from the JSON Schema another field of the record holds.
 *
 * `<field name="settings" widget="dist_json_schema" options="{'schema': 'settings_schema'}"/>`
 *
 * Wrong entries keep the record from being saved. What is missing is said, and judged by the server.
 */
export class JsonSchemaField extends Component {
    static template = "dist_sync_queue.JsonSchemaField";
    static components = { JsonSchemaForm };
    static props = { ...standardFieldProps, schema: { type: String } };

    setup() {
        this.handle = {};
        const { bus } = this.props.record.model;
        useBus(bus, "WILL_SAVE_URGENTLY", () => this.handle.commit?.());
        useBus(bus, "NEED_LOCAL_CHANGES", (ev) => ev.detail.proms.push(this.handle.commit?.()));
    }

    get schema() {
        return this.props.record.data[this.props.schema] || {};
    }

    get value() {
        return this.props.record.data[this.props.name] || {};
    }

    get valid() {
        return !this.props.record.isFieldInvalid(this.props.name);
    }

    get hasFields() {
        return Object.keys(this.schema.properties || {}).length > 0;
    }

    onTyping() {
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", true);
    }

    async onChange(value, valid) {
        const { name, record } = this.props;
        if (!valid) {
            await record.setInvalidField(name);
            return;
        }
        if (record.isFieldInvalid(name)) {
            await record.resetFieldValidity(name);
        }
        await record.update({ [name]: value });
        record.model.bus.trigger("FIELD_IS_DIRTY", false);
    }
}

export const jsonSchemaField = {
    component: JsonSchemaField,
    displayName: _t("JSON form"),
    supportedTypes: ["json"],
    supportedOptions: [
        { label: _t("Schema field"), name: "schema", type: "field", availableTypes: ["json"] },
    ],
    fieldDependencies: ({ options }) => [{ name: options.schema, type: "json", readonly: true }],
    extractProps: ({ options }, { readonly }) => ({ schema: options.schema, readonly }),
};

registry.category("fields").add("dist_json_schema", jsonSchemaField);
