import { Component, onWillUnmount, useEffect } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const POLL = 1500;
const PATIENCE = 60;

/**
 * The way from a new connection to an active one, as steps.
 *
 * The field's value is computed by the server: `[{key, label, done, hint, page, button: {name, label}}]`. The first step
 * not done is the current one and shows its hint and its button; a click on a step opens its page of the notebook.
 * While a test runs (`running`), the record is read again until its result is there.
 */
export class SetupStepsField extends Component {
    static template = "dist_sync_queue.SetupStepsField";
    static props = { ...standardFieldProps };

    setup() {
        useEffect(
            (running) => {
                this.stop();
                if (running) {
                    let left = PATIENCE;
                    this.timer = browser.setInterval(() => {
                        left -= 1;
                        if (!left) {
                            this.stop();
                        } else if (!this.props.record.dirty) {
                            this.props.record.load();
                        }
                    }, POLL);
                }
            },
            () => [this.isRunning]
        );
        onWillUnmount(() => this.stop());
    }

    stop() {
        browser.clearInterval(this.timer);
    }

    get steps() {
        const steps = this.props.record.data[this.props.name] || [];
        const current = steps.findIndex((step) => !step.done);
        return steps.map((step, index) => ({
            ...step,
            number: index + 1,
            status: step.done ? "done" : index === current ? "current" : "todo",
        }));
    }

    get current() {
        return this.steps.find((step) => step.status === "current");
    }

    get isRunning() {
        return Boolean(this.current?.running);
    }

    label(step) {
        const status = { done: _t("done"), current: _t("now"), todo: _t("to do") }[step.status];
        return _t("Step %(number)s: %(label)s (%(status)s)", { ...step, status });
    }

    open(step) {
        const form = document.querySelector(".o_form_view");
        const name = CSS.escape(step.page || "");
        form?.querySelector(`.o_notebook .nav-link[name="${name}"]`)?.click();
    }

    run(button) {
        const { record } = this.props;
        return this.env.onClickViewButton({
            clickParams: { type: "object", name: button.name },
            getResParams: () => ({
                resModel: record.resModel,
                resId: record.resId,
                resIds: [record.resId],
                context: record.context,
            }),
        });
    }
}

registry.category("fields").add("dist_setup_steps", {
    component: SetupStepsField,
    displayName: _t("Set-up steps"),
    supportedTypes: ["json"],
});
