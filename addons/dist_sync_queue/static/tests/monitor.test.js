import { expect, test } from "@odoo/hoot";
import { animationFrame } from "@odoo/hoot-dom";
import { Deferred, advanceTime } from "@odoo/hoot-mock";
import { waitForChannels, waitNotifications } from "@bus/../tests/bus_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    MockServer,
    contains,
    getService,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { layout } from "@dist_sync_queue/job/graph_layout";
import { PROGRESS } from "@dist_sync_queue/monitor/progress";
import { points } from "@dist_sync_queue/monitor/sparkline";
import { WebClient } from "@web/webclient/webclient";

defineMailModels();

function snapshot(changes = {}) {
    return {
        manager: true,
        cap: 10000,
        tiles: {
            ready: 12,
            capped: false,
            running: 2,
            oldest: 75,
            done_per_minute: 30,
            later: 1,
            parked: 0,
            dead: 10000,
            waiting: 0,
            attention: 1,
        },
        lanes: [
            {
                code: "orders",
                name: "Orders",
                ready: 12,
                capped: false,
                oldest: 75,
                rate: 30,
                weight: 4,
                capacity: 0,
                paused: false,
                work: [{ handler: "order.received.v1", name: "Order received", count: 12 }],
            },
        ],
        handlers: [],
        workers: [
            {
                id: 7,
                name: "w7",
                host: "erp-1",
                pid: 42,
                busy: true,
                silent: 0,
                jobs: 2,
                since: 3,
                done: 5,
                failed: 0,
                handler: "Order received",
                lane: "Orders",
                connection: "Shop",
                job_ids: [1, 2],
            },
        ],
        worker_count: 1,
        drained: false,
        connections: [
            {
                id: 3,
                name: "Shop",
                state: "active",
                state_name: "Active",
                company: "",
                breaker: "open",
                breaker_message: "503 five times",
                waiting: 4,
                in_flight: 1,
                unknown: 0,
                failed: 2,
                oldest: 30,
                rate: 6,
                capacity: 0,
                budgets: [
                    { operation: "orders", tokens: 3, burst: 40, factor: 0.5, blocked_seconds: 2 },
                ],
            },
        ],
        ...changes,
    };
}

async function openMonitor() {
    await mountWithCleanup(WebClient);
    await getService("action").doAction({ type: "ir.actions.client", tag: "dist_monitor" });
    await animationFrame();
}

test("the figures are read again every two seconds", async () => {
    let calls = 0;
    onRpc("dist.monitor", "snapshot", () => {
        calls += 1;
        const data = snapshot();
        data.tiles.ready = 12 + calls;
        return data;
    });
    await openMonitor();
    expect("[data-tile=ready] .o_dist_tile_value").toHaveText("13");
    expect("[data-tile=dead] .o_dist_tile_value").toHaveText("10,000+");
    expect("[data-lane=orders]").toHaveText(/Order received \(12\)/);
    await advanceTime(2000);
    await animationFrame();
    expect("[data-tile=ready] .o_dist_tile_value").toHaveText("14");
    expect(".o_dist_sparkline polyline").toHaveCount(2);
});

test("without an answer it says so, keeps the last figures and goes on by itself", async () => {
    let down = false;
    onRpc("dist.monitor", "snapshot", () => {
        if (down) {
            throw new Error("no route to the database");
        }
        return snapshot();
    });
    await openMonitor();
    down = true;
    await advanceTime(2000);
    await animationFrame();
    expect(".o_dist_monitor_error").toHaveCount(1);
    expect("[data-tile=ready] .o_dist_tile_value").toHaveText("12");
    expect(".o_dist_monitor_live").toHaveClass("o_dist_stale");
    down = false;
    await advanceTime(4000);
    await animationFrame();
    expect(".o_dist_monitor_error").toHaveCount(0);
});

function progress(done, changes = {}) {
    const text = `line ${done}`;
    return { worker: "w7", job_ids: [2], done, total: 10, text, ...changes };
}

/** What a worker tells through the bus. */
async function tell(message) {
    MockServer.env["bus.bus"]._sendone("dist_test", PROGRESS, message);
    await waitNotifications([PROGRESS, message]);
    await animationFrame();
}

test("a worker's progress is shown as soon as it tells, and the next poll has the last word", async () => {
    let done = 1;
    onRpc("dist.monitor", "snapshot", () => {
        const data = snapshot();
        data.workers[0].progress = { done, total: 10, text: `line ${done}` };
        return data;
    });
    await openMonitor();
    getService("bus_service").addChannel("dist_test");
    await waitForChannels(["dist_test"]);
    expect("[data-worker='7']").toHaveText(/1 of 10\s*line 1/);
    await tell(progress(4));
    expect("[data-worker='7']").toHaveText(/4 of 10\s*line 4/);
    expect("[data-worker='7'] progress").toHaveAttribute("value", "40");
    await tell(progress(9, { job_ids: [77] }));
    await tell(progress(9, { worker: "w8" }));
    expect("[data-worker='7']").toHaveText(/4 of 10/, { message: "not of what it shows" });
    done = 6;
    await advanceTime(2000);
    await animationFrame();
    expect("[data-worker='7']").toHaveText(/6 of 10\s*line 6/);
});

test("a picture that is older than what was told meanwhile does not take it back", async () => {
    let answer = null;
    onRpc("dist.monitor", "snapshot", async () => {
        await answer;
        const data = snapshot();
        data.workers[0].progress = { done: 1, total: 10, text: "line 1" };
        return data;
    });
    await openMonitor();
    getService("bus_service").addChannel("dist_test");
    await waitForChannels(["dist_test"]);
    answer = new Deferred();
    await advanceTime(2000);
    await tell(progress(5));
    answer.resolve();
    await animationFrame();
    expect("[data-worker='7']").toHaveText(/5 of 10/);
});

test("managers pause a lane and stop what runs, after a question", async () => {
    onRpc("dist.monitor", "snapshot", () => snapshot());
    onRpc("dist.monitor", "set_control", ({ args }) => {
        expect.step(JSON.stringify(args));
        return true;
    });
    onRpc("dist.job", "action_cancel", ({ args }) => {
        expect.step(`cancel ${args[0]}`);
        return true;
    });
    await openMonitor();
    await contains("[data-lane=orders] .o_dist_toggle").click();
    await contains("[data-lane=orders] input:first").edit("6", { confirm: "blur" });
    await contains("[data-lane=orders] input:first").edit("0", { confirm: "blur" });
    expect.verifySteps([
        JSON.stringify(["lane", "orders", { paused: true }]),
        JSON.stringify(["lane", "orders", { weight: 6 }]),
    ]);
    await contains("[data-worker='7'] .o_dist_stop").click();
    expect(".modal-body").toHaveText(/2 jobs/);
    await contains(".modal-footer .btn-primary").click();
    expect.verifySteps(["cancel 1,2"]);
});

test("users see the same and change nothing", async () => {
    onRpc("dist.monitor", "snapshot", () => snapshot({ manager: false }));
    await openMonitor();
    expect("[data-lane=orders]").toHaveCount(1);
    expect(".o_dist_monitor_live input").toHaveCount(0);
    expect(".o_dist_toggle, .o_dist_stop").toHaveCount(0);
});

test("breaker and budgets are told in words as well as in colours", async () => {
    onRpc("dist.monitor", "snapshot", () => snapshot());
    await openMonitor();
    expect("[data-connection='3'] [data-breaker=open]").toHaveText(/Breaker open\s*503 five times/);
    expect(".o_dist_budget").toHaveText(/3 of 40/);
    expect(".o_dist_budget").toHaveText(/blocked for 2 s, slowed to 50 %/);
});

test("without a worker it says how to start one", async () => {
    onRpc("dist.monitor", "snapshot", () => snapshot({ workers: [], worker_count: 0 }));
    await openMonitor();
    expect(".o_dist_no_worker").toHaveText(/odoo dist_worker/);
});

test("a run of the scheduled action is called one", async () => {
    let scheduled = false;
    onRpc("dist.monitor", "snapshot", () => {
        const data = snapshot();
        data.workers[0].scheduled = scheduled;
        return data;
    });
    await openMonitor();
    expect("[data-worker='7'] .o_dist_scheduled").toHaveCount(0);
    scheduled = true;
    await advanceTime(2000);
    await animationFrame();
    expect("[data-worker='7'] .o_dist_scheduled").toHaveText("Scheduled action");
});

test("the health check shows what was found and checks again", async () => {
    onRpc("dist.monitor", "snapshot", () => snapshot());
    let checks = 0;
    onRpc("dist.health", "findings", () => {
        checks += 1;
        return [
            { level: "bad", title: "Workers hang", detail: "2 workers", hint: "End the process." },
            { level: "ok", title: "Clock", detail: "", hint: "" },
        ].slice(checks - 1);
    });
    await openMonitor();
    await contains("button[name=health]").click();
    expect(".o_dist_finding").toHaveCount(2);
    expect(".o_dist_finding[data-level=bad]").toHaveText(
        /Workers hang\s*2 workers\s*End the process\./
    );
    expect(".o_dist_finding[data-level=bad] i").toHaveAttribute("aria-label", "Wrong");
    await contains(".o_dist_health .btn-secondary").click();
    expect(".o_dist_finding").toHaveCount(1);
});

test("a line through few samples ends at the right edge", () => {
    expect(points([0, 10], 3)).toBe("80.0,34.0 160.0,2.0");
    expect(points([], 3)).toBe("");
});

test("boxes of a graph stand in columns, each centred", () => {
    const boxes = [
        { key: "a", layer: 0 },
        { key: "b", layer: 1 },
        { key: "c", layer: 1 },
    ];
    const placed = layout({ boxes, lines: [{ from: "a", to: "c", kind: "stop" }] });
    const [a, b, c] = placed.boxes;
    expect(a.x).toBe(0);
    expect(b.x).toBe(c.x);
    expect(a.y).toBe((b.y + c.y) / 2);
    expect(placed.lines[0].path).toMatch(/^M 220 /);
});
