/**
 * From JSON Schema to something a form can draw, and back from what was typed to a value.
 *
 * Understands the part of JSON Schema 2020-12 that adapters use (and pydantic writes): objects of strings, numbers,
 * booleans, enums, constants, arrays of strings or enums, one level of nested objects, `$ref` into `$defs`, and
 * `anyOf` with `null` for what may be left out. Anything else is edited as JSON text. Nothing here knows Odoo's
 * models; the server validates again with the same schema.
 */
import { _t } from "@web/core/l10n/translation";

const INPUT_TYPES = {
    uri: "url",
    url: "url",
    email: "email",
    date: "date",
    "date-time": "datetime-local",
    password: "password",
};
const LONG_TEXT = 200;

/** Follow `$ref`, and drop the `null` branch of what pydantic writes for optional values. */
export function resolve(schema, root) {
    let node = schema || {};
    for (let depth = 0; depth < 10; depth++) {
        let next = null;
        if (node.$ref?.startsWith("#/")) {
            next = node.$ref
                .slice(2)
                .split("/")
                .reduce((part, key) => part?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], root);
        } else if (node.allOf?.length === 1) {
            next = node.allOf[0];
        } else {
            const branches =
                node.anyOf || (node.oneOf?.some((b) => b.type === "null") && node.oneOf);
            const kept = branches ? branches.filter((branch) => branch.type !== "null") : [];
            next = kept.length === 1 ? kept[0] : null;
        }
        if (!next) {
            return node;
        }
        const { $ref, allOf, anyOf, oneOf, ...own } = node;
        node = { ...next, ...own };
    }
    return node;
}

function choices(schema) {
    if (schema.enum) {
        const labels = schema["x-labels"] || {};
        return schema.enum
            .filter((value) => value !== null)
            .map((value) => ({ value, label: String(labels[value] ?? value) }));
    }
    if (schema.oneOf?.every((branch) => "const" in branch)) {
        return schema.oneOf.map((branch) => ({
            value: branch.const,
            label: branch.title || String(branch.const),
        }));
    }
    return null;
}

function kindOf(schema, options, depth, root) {
    const type = Array.isArray(schema.type)
        ? schema.type.find((name) => name !== "null")
        : schema.type;
    if ("const" in schema) {
        return "const";
    }
    if (options) {
        return "select";
    }
    if (type === "array") {
        const items = resolve(schema.items, root);
        if (choices(items)) {
            return "choices";
        }
        return items.type === "string" ? "strings" : "json";
    }
    if (type === "object") {
        return schema.properties && depth < 1 ? "object" : "json";
    }
    if (type === "string") {
        const long = schema.maxLength > LONG_TEXT && !schema.format;
        return long || schema.format === "multiline" ? "multiline" : "text";
    }
    return ["integer", "number", "boolean"].includes(type) ? type : "json";
}

function humanize(name) {
    const words = name.replace(/[_-]+/g, " ").trim();
    return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * The order of fields. PostgreSQL's jsonb keeps none, so a schema may name it as `x-order`, a list of names; otherwise
 * needed ones come first, then the rest by label.
 */
function inOrder(schema, fields) {
    const named = schema?.["x-order"] || schema?.required || [];
    const rank = (field) => (named.indexOf(field.name) + 1 || named.length + 1) - 1;
    return fields.sort((a, b) => rank(a) - rank(b) || a.label.localeCompare(b.label));
}

/**
 * The fields of an object schema.
 *
 * @param {Object} schema
 * @returns {Object[]} descriptors: `{name, id, path, kind, label, help, required, default, options, fields, schema}`
 */
export function describe(schema, { root = schema, path = [], depth = 0 } = {}) {
    const required = new Set(schema?.required || []);
    const fields = Object.entries(schema?.properties || {}).map(([name, raw]) => {
        const node = resolve(raw, root);
        const options = choices(node);
        const kind = kindOf(node, options, depth, root);
        const here = [...path, name];
        return {
            name,
            path: here,
            id: here.join("."),
            kind,
            schema: node,
            label: node.title || humanize(name),
            help: node.description || "",
            required: required.has(name),
            default: "const" in node ? node.const : node.default,
            options: kind === "choices" ? choices(resolve(node.items, root)) : options,
            secret: node.format === "password" || Boolean(node.writeOnly),
            inputType: node.writeOnly ? "password" : INPUT_TYPES[node.format] || "text",
            placeholder: node.examples?.length ? String(node.examples[0]) : "",
            fields: kind === "object" ? describe(node, { root, path: here, depth: depth + 1 }) : [],
        };
    });
    return inOrder(schema, fields);
}

/** Every descriptor that holds a value itself, nested ones included. */
export function leaves(descriptors) {
    return descriptors.flatMap((field) =>
        field.kind === "object" ? leaves(field.fields) : [field]
    );
}

export function isEmpty(value) {
    return (
        value === undefined ||
        value === null ||
        value === "" ||
        (Array.isArray(value) && value.length === 0)
    );
}

export function getIn(value, path) {
    return path.reduce((part, key) => (part === null ? undefined : part?.[key]), value);
}

/** A copy of `value` with `path` set, or removed where there is nothing to set. */
export function setIn(value, path, part) {
    const [key, ...rest] = path;
    const copy = { ...(value || {}) };
    if (rest.length) {
        copy[key] = setIn(copy[key], rest, part);
        if (!Object.keys(copy[key]).length) {
            delete copy[key];
        }
    } else if (isEmpty(part)) {
        delete copy[key];
    } else {
        copy[key] = part;
    }
    return copy;
}

/** `value` completed with the constants and defaults the schema names. */
export function withDefaults(descriptors, value) {
    let result = value || {};
    for (const field of leaves(descriptors)) {
        const fixed = field.kind === "const";
        if (!isEmpty(field.default) && (fixed || getIn(result, field.path) === undefined)) {
            result = setIn(result, field.path, field.default);
        }
    }
    return result;
}

/** A moment (ISO 8601) as the browser's date and time input wants it: local, without a zone. */
export function toLocalInput(moment) {
    const date = new Date(moment);
    if (Number.isNaN(date.getTime())) {
        return "";
    }
    const local = new Date(date.getTime() - date.getTimezoneOffset() * 60000);
    return local.toISOString().slice(0, 16);
}

/**
 * What was typed, as a value of the schema's type.
 *
 * @returns {any} undefined where nothing was typed; text that is no number or JSON is given back as it is, so that
 *     the message about it stands beside what was typed
 */
export function parse(field, text) {
    const trimmed = field.secret ? text : text.trim();
    if (trimmed === "") {
        return undefined;
    }
    if (field.kind === "integer" || field.kind === "number") {
        const number = Number(trimmed.replace(",", "."));
        return Number.isFinite(number) ? number : trimmed;
    }
    if (field.schema.format === "date-time") {
        const date = new Date(trimmed);
        return Number.isNaN(date.getTime()) ? trimmed : date.toISOString();
    }
    if (field.kind === "select") {
        return field.options.find((option) => String(option.value) === trimmed)?.value ?? trimmed;
    }
    if (field.kind === "json") {
        try {
            return JSON.parse(trimmed);
        } catch {
            return trimmed;
        }
    }
    return trimmed;
}

function matches(pattern, text) {
    try {
        return new RegExp(pattern, "u").test(text);
    } catch {
        return true; // a pattern only the server understands
    }
}

function checkText(schema, text) {
    if (schema.minLength && text.length < schema.minLength) {
        return _t("Enter at least %s characters.", schema.minLength);
    }
    if (schema.maxLength && text.length > schema.maxLength) {
        return _t("Enter at most %s characters.", schema.maxLength);
    }
    if (schema.pattern && !matches(schema.pattern, text)) {
        return schema.examples?.length
            ? _t("This does not look right. Example: %s", schema.examples[0])
            : _t("This does not have the expected form.");
    }
    if (["uri", "url"].includes(schema.format) && !URL.canParse(text)) {
        return _t("Enter a full address, like https://example.com");
    }
    if (schema.format === "email" && !/^[^\s@]+@[^\s@]+$/.test(text)) {
        return _t("Enter an e-mail address.");
    }
    return "";
}

function checkNumber(field, number) {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = field.schema;
    if (typeof number !== "number") {
        return _t("Enter a number.");
    }
    if (field.kind === "integer" && !Number.isInteger(number)) {
        return _t("Enter a whole number.");
    }
    if (number < minimum) {
        return _t("Enter %s or more.", minimum);
    }
    if (number > maximum) {
        return _t("Enter %s or less.", maximum);
    }
    if (number <= exclusiveMinimum) {
        return _t("Enter more than %s.", exclusiveMinimum);
    }
    if (number >= exclusiveMaximum) {
        return _t("Enter less than %s.", exclusiveMaximum);
    }
    return "";
}

function checkList(field, list) {
    if (list.length < (field.schema.minItems || 0)) {
        return _t("Enter at least %s.", field.schema.minItems);
    }
    if (list.length > field.schema.maxItems) {
        return _t("Enter at most %s.", field.schema.maxItems);
    }
    const items = field.schema.items || {};
    return list.map((item) => checkText(items, String(item))).find(Boolean) || "";
}

/** What is wrong with one value; empty where nothing is. A missing value is {@link isMissing}'s matter. */
export function check(field, value) {
    if (isEmpty(value)) {
        return "";
    }
    switch (field.kind) {
        case "text":
        case "multiline":
            return checkText(field.schema, String(value));
        case "integer":
        case "number":
            return checkNumber(field, value);
        case "strings":
        case "choices":
            return checkList(field, value);
        case "select":
            return field.options.some((option) => option.value === value)
                ? ""
                : _t("Choose one of the list.");
        case "json":
            return typeof value === "string" && field.schema.type !== "string"
                ? _t("Enter valid JSON.")
                : "";
    }
    return "";
}

export function isMissing(field, value) {
    return field.required && isEmpty(value) && isEmpty(field.default) && field.kind !== "boolean";
}
