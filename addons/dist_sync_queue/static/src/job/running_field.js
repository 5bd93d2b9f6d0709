import { Component, onWillUnmount, useEffect } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { formatSeconds } from "../journey/journey_fields";

const EVERY = 2000;
const EVERY_WHILE_WAITING = 5000;

/** That a job runs, since when and how far; the record is read again until it has ended, also before it begins. */
export class RunningField extends Component {
    static template = "dist_sync_queue.RunningField";
    static props = { ...standardFieldProps };

    setup() {
        useEffect(
            (every) => {
                browser.clearInterval(this.timer);
                if (every) {
                    this.timer = browser.setInterval(() => {
                        if (!document.hidden && !this.props.record.dirty) {
                            this.props.record.load();
                        }
                    }, every);
                }
            },
            () => [this.every]
        );
        onWillUnmount(() => browser.clearInterval(this.timer));
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    /** Milliseconds until the record is read again; 0: never, nothing will change by itself. */
    get every() {
        if (this.value) {
            return EVERY;
        }
        return this.props.record.data.state === "pending" ? EVERY_WHILE_WAITING : 0;
    }

    get since() {
        return _t("Runs for %s", formatSeconds(this.value.since));
    }
}

registry.category("fields").add("dist_job_running", {
    component: RunningField,
    displayName: _t("Progress of a job"),
    supportedTypes: ["json"],
});
