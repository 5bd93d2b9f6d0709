import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const LEVELS = {
    bad: { icon: "fa-times-circle text-danger", text: _t("Wrong") },
    note: { icon: "fa-exclamation-triangle text-warning", text: _t("Note") },
    ok: { icon: "fa-check-circle text-success", text: _t("Fine") },
};

/** What `dist.health` found (the worst comes first), each with what to do. */
export class Health extends Component {
    static template = "dist_sync_queue.Health";
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.state = useState({ findings: null, error: "" });
        onWillStart(() => this.check());
    }

    async check() {
        this.state.findings = null;
        this.state.error = "";
        try {
            const findings = await this.orm.call("dist.health", "findings", []);
            this.state.findings = findings.map((finding, key) => ({
                ...finding,
                ...(LEVELS[finding.level] || LEVELS.note),
                key,
            }));
        } catch (error) {
            this.state.error = error.data?.message || String(error.message || error);
        }
    }
}
