import { expect, test } from "@odoo/hoot";
import { advanceTime } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    MockServer,
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

const BUTTON = { name: "action_test", label: "Test connection" };

class Connection extends models.Model {
    name = fields.Char();
    steps = fields.Json();
    credentials_state = fields.Selection({
        selection: [
            ["missing", "Missing"],
            ["set", "Entered"],
        ],
    });
    credentials_schema = fields.Json();
    _records = [
        {
            id: 1,
            name: "Shop",
            steps: [
                { key: "settings", label: "Settings", done: true, hint: "", page: "settings" },
                {
                    key: "test",
                    label: "Test",
                    done: false,
                    hint: "Try it",
                    page: "settings",
                    button: BUTTON,
                },
                { key: "activate", label: "Activate", done: false, hint: "", page: "settings" },
            ],
            credentials_state: "missing",
            credentials_schema: {
                type: "object",
                properties: { token: { type: "string", writeOnly: true, minLength: 4 } },
            },
        },
    ];
}

defineMailModels();
defineModels([Connection]);

function mountForm(field) {
    return mountView({
        type: "form",
        resModel: "connection",
        resId: 1,
        arch: `<form><field name="name"/><field name="credentials_schema" invisible="1"/>${field}</form>`,
    });
}

const STEPS = `<field name="steps" widget="dist_setup_steps" readonly="1"/>`;

test("the first step that is not done is the current one, with its button", async () => {
    onRpc("action_test", ({ args }) => {
        expect.step(`test ${args[0]}`);
        return true;
    });
    await mountForm(STEPS);
    expect("[data-step=settings]").toHaveClass("o_dist_setup_done");
    expect("[data-step=test]").toHaveClass("o_dist_setup_current");
    expect("[data-step=activate]").toHaveClass("o_dist_setup_todo");
    expect(".o_dist_setup_hint span").toHaveText("Try it");
    await contains(".o_dist_setup .btn-primary").click();
    expect.verifySteps(["test 1"]);
});

test("while a test runs the record is read again until the answer is there", async () => {
    const steps = Connection._records[0].steps;
    const running = steps.map((step) => (step.key === "test" ? { ...step, running: true } : step));
    const passed = steps.map((step) => (step.key === "test" ? { ...step, done: true } : step));
    let reads = 0;
    onRpc("web_read", ({ parent }) => {
        const [record] = parent();
        reads += 1;
        return [{ ...record, steps: reads < 3 ? running : passed }];
    });
    await mountForm(STEPS);
    expect(".o_dist_setup_hint .fa-spinner").toHaveCount(1);
    expect(".o_dist_setup .btn-primary").toHaveCount(0);
    await advanceTime(1500);
    expect(".o_dist_setup_hint .fa-spinner").toHaveCount(1);
    await advanceTime(1500);
    expect("[data-step=test]").toHaveClass("o_dist_setup_done");
    await advanceTime(60000);
    expect(reads).toBe(3);
});

test("credentials go to the server in one call and are forgotten here", async () => {
    onRpc("dist.connection", "set_credentials", ({ args }) => {
        expect.step(JSON.stringify(args));
        MockServer.env["connection"].write([1], { credentials_state: "set" });
        return true;
    });
    onRpc("web_save", () => expect.step("save"));
    await mountForm(
        `<field name="credentials_state" widget="dist_credentials" readonly="1"
            options="{'schema': 'credentials_schema'}"/>`
    );
    expect(".o_dist_credentials .badge").toHaveText("Missing");
    await contains("[data-key=token] input").edit("abc");
    expect("[data-key=token] [role=alert]").toHaveText("Enter at least 4 characters.");
    expect(".o_dist_store_credentials").not.toBeEnabled();
    await contains("[data-key=token] input").edit("abcd");
    await contains(".o_dist_store_credentials").click();
    expect.verifySteps([JSON.stringify([[1], { token: "abcd" }])]);
    expect(".o_dist_credentials .badge").toHaveText("Stored");
    expect(".o_dist_credentials input").toHaveCount(0);
    await contains(".o_dist_credentials .btn-link").click();
    expect("[data-key=token] input").toHaveValue("");
});
