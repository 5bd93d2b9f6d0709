import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { JsonSchemaForm } from "../json_schema/json_schema_form";

/**
 * Says whether credentials are stored, and takes new ones.
 *
 * What is typed lives in this component only: it is never a value of the record, goes to the server in one call, is
 * sealed there, and is forgotten here. `connection` names the many2one to the connection where the record is none
 * itself.
 */
export class CredentialsField extends Component {
    static template = "dist_sync_queue.CredentialsField";
    static components = { JsonSchemaForm };
    static props = {
        ...standardFieldProps,
        schema: { type: String },
        connection: { type: String, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.handle = {};
        this.typed = {};
        this.state = useState({ open: false, valid: true, busy: false });
    }

    get status() {
        return this.props.record.data[this.props.name];
    }

    get schema() {
        return this.props.record.data[this.props.schema] || {};
    }

    get hasFields() {
        return Object.keys(this.schema.properties || {}).length > 0;
    }

    /** The field itself is always readonly: what counts is whether the record may be edited. */
    get canEnter() {
        return this.hasFields && !this.isNew && this.props.record.isInEdition;
    }

    get isNew() {
        return !this.props.record.resId;
    }

    get isOpen() {
        return this.canEnter && (this.state.open || this.status === "missing");
    }

    get badge() {
        return {
            none: ["text-bg-light", _t("Not needed")],
            missing: ["text-bg-warning", _t("Missing")],
            stale: ["text-bg-warning", _t("To be entered again")],
            set: ["text-bg-success", _t("Stored")],
        }[this.status || (this.hasFields ? "missing" : "none")];
    }

    get connectionId() {
        const { connection, record } = this.props;
        return connection ? record.data[connection]?.id : record.resId;
    }

    toggle() {
        this.typed = {};
        this.state.open = !this.state.open;
    }

    onChange(value, valid) {
        this.typed = value;
        this.state.valid = valid;
    }

    async store() {
        await this.handle.commit?.();
        if (!this.state.valid || this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            if (!(await this.props.record.save())) {
                return;
            }
            await this.orm.call("dist.connection", "set_credentials", [
                [this.connectionId],
                this.typed,
            ]);
            this.typed = {};
            this.state.open = false;
            await this.props.record.load();
            this.notification.add(
                _t("Credentials stored. They can be replaced, but not read again."),
                {
                    type: "success",
                }
            );
        } finally {
            this.state.busy = false;
        }
    }
}

export const credentialsField = {
    component: CredentialsField,
    displayName: _t("Write-only credentials"),
    supportedTypes: ["selection"],
    supportedOptions: [
        { label: _t("Schema field"), name: "schema", type: "field", availableTypes: ["json"] },
        {
            label: _t("Connection field"),
            name: "connection",
            type: "field",
            availableTypes: ["many2one"],
        },
    ],
    fieldDependencies: ({ options }) => [
        { name: options.schema, type: "json", readonly: true },
        ...(options.connection ? [{ name: options.connection, type: "many2one" }] : []),
    ],
    extractProps: ({ options }, { readonly }) => ({
        schema: options.schema,
        connection: options.connection,
        readonly,
    }),
};

registry.category("fields").add("dist_credentials", credentialsField);
