import { expect, test } from "@odoo/hoot";
import { press, queryFirst } from "@odoo/hoot-dom";
import { advanceTime } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

const BOXES = [
    { key: "0/1", layer: 0, name: "Split", states: { done: 1 }, ids: [1], focus: true },
    { key: "1/w", layer: 1, name: "Work", states: { done: 3, dead: 1 }, ids: [2, 3, 4, 5] },
];

class Job extends models.Model {
    timeline = fields.Json();
    picture = fields.Json();
    running = fields.Json();
    state = fields.Char();
    _records = [
        {
            id: 1,
            timeline: [
                { kind: "made", at: "2026-01-01T10:00:00.000Z", label: "Job made", detail: "" },
                {
                    kind: "dead",
                    at: "2026-01-01T10:02:00.000Z",
                    label: "Attempt 1: Failed",
                    seconds: 2,
                    detail: "no route",
                },
            ],
            picture: {
                boxes: BOXES,
                lines: [{ from: "0/1", to: "1/w", kind: "stop" }],
                before: 0,
                after: 7,
                jobs: 12,
                states: { done: "Done", dead: "Dead" },
            },
        },
    ];
}

defineMailModels();
defineModels([Job]);

function mountForm(field) {
    return mountView({ type: "form", resModel: "job", resId: 1, arch: `<form>${field}</form>` });
}

test("the timeline tells what passed between two points", async () => {
    await mountForm(`<field name="timeline" widget="dist_timeline" readonly="1"/>`);
    expect(".o_dist_timeline_point").toHaveCount(2);
    expect("[data-kind=dead] .o_dist_timeline_gap").toHaveText(/2 min/);
    expect("[data-kind=dead]").toHaveText(/took 2 s/);
    expect("[data-kind=dead]").toHaveText(/no route/);
});

test("many jobs are one box that opens their list, by mouse and by keyboard", async () => {
    mockService("action", {
        doAction(action) {
            expect.step(`${action.views[0][1]} ${action.res_id || JSON.stringify(action.domain)}`);
        },
    });
    await mountForm(`<field name="picture" widget="dist_job_graph" readonly="1"/>`);
    expect(".o_dist_graph_box").toHaveCount(2);
    expect(".o_dist_graph_box[aria-current=true]").toHaveCount(1);
    expect(".o_dist_graph_box[data-state=dead]").toHaveAttribute(
        "aria-label",
        "Work: 3 Done, 1 Dead"
    );
    expect("figcaption").toHaveText(/7 later jobs/);
    await contains(".o_dist_graph_box[data-state=dead]").click();
    queryFirst(".o_dist_graph_box[data-state=done]").focus();
    await press("Enter");
    expect.verifySteps(['list [["id","in",[2,3,4,5]]]', "form 1"]);
});

test("a running job is read again until it has ended", async () => {
    let reads = 0;
    onRpc("web_read", ({ parent }) => {
        const [record] = parent();
        reads += 1;
        const running = { worker: "w", jobs: 1, since: 5, done: reads, total: 10, text: "page" };
        return [{ ...record, running: reads < 3 ? running : false }];
    });
    await mountForm(`<field name="running" widget="dist_job_running" readonly="1"/>`);
    expect(".o_dist_running").toHaveText(/Runs for 5 s/);
    expect(".o_dist_running").toHaveText(/1 of 10/);
    await advanceTime(2000);
    expect(".o_dist_running progress").toHaveAttribute("value", "2");
    await advanceTime(2000);
    expect(".o_dist_running").toHaveCount(0);
    await advanceTime(60000);
    expect(reads).toBe(3);
});

test("a job that waits is read again as well: when it begins, that is seen", async () => {
    let reads = 0;
    onRpc("web_read", ({ parent }) => {
        const [record] = parent();
        reads += 1;
        const running = { worker: "w", jobs: 1, since: 5, done: 1, total: 10, text: "page" };
        const state = reads < 4 ? "pending" : "done";
        return [{ ...record, state, running: reads === 3 ? running : false }];
    });
    await mountForm(
        `<field name="state" invisible="1"/><field name="running" widget="dist_job_running" readonly="1"/>`
    );
    expect(".o_dist_running").toHaveCount(0);
    await advanceTime(5000);
    await advanceTime(5000);
    expect(".o_dist_running").toHaveText(/Runs for 5 s/);
    await advanceTime(2000);
    expect(".o_dist_running").toHaveCount(0);
    await advanceTime(60000);
    expect(reads).toBe(4);
});
