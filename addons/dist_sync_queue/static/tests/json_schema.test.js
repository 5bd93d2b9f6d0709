import { expect, test } from "@odoo/hoot";
import { press, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import {
    allowTranslations,
    clickSave,
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { formatSeconds } from "@dist_sync_queue/journey/journey_fields";
import { MASK, masked } from "@dist_sync_queue/json_view/masking";
import {
    check,
    describe,
    isMissing,
    leaves,
    parse,
    setIn,
    withDefaults,
} from "@dist_sync_queue/json_schema/schema";

const SCHEMA = {
    type: "object",
    required: ["domain", "mode"],
    properties: {
        mode: { $ref: "#/$defs/Mode", default: "live" },
        domain: {
            type: "string",
            title: "Shop domain",
            description: "Without https",
            pattern: "^[a-z]+\\.example$",
        },
        api: { const: "2026-07", title: "API" },
        limit: { anyOf: [{ type: "integer", minimum: 1, maximum: 10 }, { type: "null" }] },
        share: { type: "number", exclusiveMaximum: 1 },
        live: { type: "boolean", title: "Live" },
        tags: { type: "array", items: { type: "string", minLength: 2 } },
        kinds: { type: "array", items: { enum: ["a", "b"] } },
        box: {
            type: "object",
            title: "Mailbox",
            required: ["host"],
            properties: { host: { type: "string" }, port: { type: "integer", default: 22 } },
        },
        secret: { type: "string", format: "password", minLength: 4 },
        since: { type: "string", format: "date-time" },
        rules: { type: "object", additionalProperties: { type: "string" } },
    },
    $defs: { Mode: { type: "string", enum: ["live", "test"], title: "Mode" } },
};

function field(id) {
    return leaves(describe(SCHEMA)).find((one) => one.id === id);
}

test("a schema becomes descriptors", () => {
    const kinds = Object.fromEntries(leaves(describe(SCHEMA)).map((one) => [one.id, one.kind]));
    expect(kinds).toEqual({
        domain: "text",
        mode: "select",
        api: "const",
        "box.host": "text",
        "box.port": "integer",
        kinds: "choices",
        limit: "integer",
        live: "boolean",
        rules: "json",
        secret: "text",
        share: "number",
        since: "text",
        tags: "strings",
    });
    expect(field("mode").label).toBe("Mode");
    expect(field("mode").required).toBe(true);
    expect(field("secret").inputType).toBe("password");
    expect(field("since").inputType).toBe("datetime-local");
});

test("needed fields come first, a named order before that", () => {
    expect(
        describe(SCHEMA)
            .slice(0, 2)
            .map((one) => one.name)
    ).toEqual(["domain", "mode"]);
    const ordered = describe({ ...SCHEMA, "x-order": ["tags", "domain"] });
    expect(ordered.slice(0, 2).map((one) => one.name)).toEqual(["tags", "domain"]);
});

test("what was typed becomes a value of the schema's type", () => {
    expect(parse(field("limit"), "7")).toBe(7);
    expect(parse(field("share"), "0,5")).toBe(0.5);
    expect(parse(field("limit"), "many")).toBe("many");
    expect(parse(field("domain"), "  a.example ")).toBe("a.example");
    expect(parse(field("domain"), " ")).toBe(undefined);
    expect(parse(field("secret"), " kept ")).toBe(" kept ");
    expect(parse(field("rules"), '{"a": "b"}')).toEqual({ a: "b" });
    expect(parse(field("since"), "2026-11-01T10:00")).toMatch(/^2026-1[01]-\d\dT\d\d:00:00.000Z$/);
});

test("wrong values get a message, right and missing ones none", () => {
    allowTranslations();
    const wrong = {
        domain: "A.EXAMPLE",
        limit: 11,
        share: 1,
        mode: "other",
        tags: ["x"],
        secret: "abc",
        rules: "{",
    };
    for (const [id, value] of Object.entries(wrong)) {
        expect(check(field(id), value)).not.toBe("");
    }
    const right = { domain: "a.example", limit: 10, share: 0.99, mode: "test", tags: ["xy"] };
    for (const [id, value] of Object.entries(right)) {
        expect(check(field(id), value)).toBe("");
    }
    expect(String(check(field("limit"), 1.5))).toBe("Enter a whole number.");
    expect(check(field("domain"), undefined)).toBe("");
    expect(isMissing(field("domain"), "")).toBe(true);
    expect(isMissing(field("mode"), "")).toBe(false);
});

test("defaults and constants complete a value, empty ones leave it", () => {
    expect(withDefaults(describe(SCHEMA), { domain: "a.example" })).toEqual({
        domain: "a.example",
        mode: "live",
        api: "2026-07",
        box: { port: 22 },
    });
    expect(setIn({ box: { port: 22 } }, ["box", "port"], "")).toEqual({});
    expect(setIn({ a: 1 }, ["box", "port"], 0)).toEqual({ a: 1, box: { port: 0 } });
});

test("secrets are masked by the names of their keys", () => {
    const tree = {
        access_token: "t",
        order: { "api-key": "k", name: "n" },
        passed: 1,
        password: null,
    };
    expect(masked(tree)).toEqual({
        access_token: MASK,
        order: { "api-key": MASK, name: "n" },
        passed: 1,
        password: null,
    });
});

test("secrets are masked within a text as well: a document that was cut off, or one inside another", () => {
    const inner = String.raw`{"token":"a \"quoted\" one","note":"n"}`;
    expect(masked({ raw: inner })).toEqual({ raw: `{"token":"${MASK}","note":"n"}` });
    const cut = JSON.stringify({ raw: inner, "api-key": "k", title: "t" }).slice(0, -1);
    const shown = String.raw`{"raw":"{\"token\":\"MASK\",\"note\":\"n\"}","api-key":"MASK","title":"t"`;
    expect(masked(cut)).toBe(shown.replaceAll("MASK", MASK));
    expect(masked('{"password": "cut o')).toBe(`{"password": "${MASK}`);
    expect(masked('{"token": 12345, "order": 1001')).toBe(`{"token": ${MASK}, "order": 1001`);
    expect(masked('{"note": {"a": "b"}, "credentials": {"user": "x", "pin": 1')).toBe(
        `{"note": {"a": "b"}, "credentials": ${MASK}`
    );
    expect(masked("<html>")).toBe("<html>");
});

test("seconds in the unit people read", () => {
    allowTranslations();
    expect([0.041, 2.14, 59.96, 300, 7200, 260000].map(formatSeconds).map(String)).toEqual([
        "41 ms",
        "2.1 s",
        "60 s",
        "5 min",
        "2 h",
        "3 d",
    ]);
});

class Connection extends models.Model {
    name = fields.Char();
    settings = fields.Json();
    raw = fields.Text();
    settings_schema = fields.Json();
    _records = [
        {
            id: 1,
            name: "Shop",
            raw: '{"token": "s3cret", "order": "1001"}',
            settings: { domain: "a.example", tags: ["one"] },
            settings_schema: SCHEMA,
        },
    ];
}

defineMailModels();
defineModels([Connection]);

test("a text that is JSON is read as such, its secrets masked", async () => {
    const arch = '<form><field name="raw" widget="dist_json_view" readonly="1"/></form>';
    await mountView({ type: "form", resModel: "connection", resId: 1, arch });
    expect(".o_dist_json_leaf").toHaveCount(2);
    expect(".o_dist_json_view").toHaveText(/1001/);
    expect(".o_dist_json_view").not.toHaveText(/s3cret/);
});

async function mountForm() {
    await mountView({
        type: "form",
        resModel: "connection",
        resId: 1,
        arch: `
            <form>
                <field name="name"/>
                <field name="settings_schema" invisible="1"/>
                <field name="settings" widget="dist_json_schema" options="{'schema': 'settings_schema'}"/>
            </form>`,
    });
}

test("the form writes typed values, with defaults", async () => {
    onRpc("web_save", ({ args }) => {
        expect.step("save");
        expect(args[1].settings).toEqual({
            domain: "b.example",
            tags: ["one", "two"],
            mode: "test",
            api: "2026-07",
            live: true,
            limit: 3,
            box: { port: 22, host: "h" },
        });
    });
    await mountForm();
    await contains("[data-key=domain] input").edit("b.example");
    await contains("[data-key=mode] select").select("test");
    await contains("[data-key=limit] input").edit("3");
    await contains("[data-key=live] input").click();
    await contains("[data-key='box.host'] input").edit("h");
    await contains("[data-key=tags] input").edit("two");
    expect(queryAllTexts("[data-key=tags] .badge")).toEqual(["one", "two"]);
    await clickSave();
    expect.verifySteps(["save"]);
});

test("what is typed and not left yet is saved too", async () => {
    onRpc("web_save", ({ args }) => {
        expect.step(args[1].settings.domain);
    });
    await mountForm();
    await contains("[data-key=domain] input").fill("x", { confirm: false });
    expect(queryOne("[data-key=domain] input").value).toBe("a.examplex");
    await contains("[data-key=domain] input").edit("c.example", { confirm: false });
    await clickSave();
    expect.verifySteps(["c.example"]);
});

test("a wrong value is told, kept on the screen, and not saved", async () => {
    onRpc("web_save", () => expect.step("save"));
    await mountForm();
    await contains("[data-key=limit] input").edit("99");
    expect("[data-key=limit] [role=alert]").toHaveText("Enter 10 or less.");
    expect("[data-key=limit] input").toHaveValue(99);
    expect(".o_form_button_save").not.toBeEnabled();
    await contains("[data-key=limit] input").edit("9");
    expect("[data-key=limit] [role=alert]").toHaveCount(0);
    await clickSave();
    expect.verifySteps(["save"]);
});

test("a password shows on demand only", async () => {
    await mountForm();
    expect("[data-key=secret] input").toHaveAttribute("type", "password");
    await contains("[data-key=secret] input").edit("hidden");
    await contains("[data-key=secret] button").click();
    expect("[data-key=secret] input").toHaveAttribute("type", "text");
    await press("Tab");
    await animationFrame();
    expect("[data-key=secret] input").toHaveValue("hidden");
});
