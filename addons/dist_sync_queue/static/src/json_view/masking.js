const SECRET =
    /pass(word|wd|phrase)?$|secret|token|credential|api_?key|authorization|private_?key|signature/i;
/** `"key": "value"` within a text, as in a JSON document that was cut off or stands within another one. */
const PAIR = /(\\*"([^"\\]+)\\*"\s*:\s*(\\*)")([^]*?)((?<!\\)\3"|$)/g;

export const MASK = "••••••••";

/** Whether a key names something that is not for eyes. */
export function isSecret(key) {
    return typeof key === "string" && SECRET.test(key.replace(/-/g, "_"));
}

/** `"key": 123`, `"key": {` and `"key": [` there. */
const BARE = /(\\*"([^"\\]+)\\*"\s*:\s*)(-?[\d.]+|[[{])/g;

/** Of a list or an object under a secret key nobody can say where it ends in such a text: all of the rest is masked. */
function maskedBare(text) {
    let shown = "";
    let from = 0;
    for (const found of text.matchAll(BARE)) {
        const [whole, start, key, value] = found;
        if (isSecret(key)) {
            shown += text.slice(from, found.index) + start + MASK;
            from = found.index + whole.length;
            if (value === "{" || value === "[") {
                return shown;
            }
        }
    }
    return shown + text.slice(from);
}

/** `text` with the values of secret keys masked, where it looks like a JSON document or a part of one. */
export function maskedText(text) {
    const strings = text.replace(PAIR, (_whole, start, key, _depth, value, end) => {
        const shown = isSecret(key) && value ? MASK : maskedText(value);
        return `${start}${shown}${end}`;
    });
    return maskedBare(strings);
}

/** A copy of `value` with what stands under secret keys masked. */
export function masked(value) {
    if (Array.isArray(value)) {
        return value.map(masked);
    }
    if (value && typeof value === "object") {
        return Object.fromEntries(
            Object.entries(value).map(([key, part]) => [
                key,
                isSecret(key) && part !== null && part !== "" ? MASK : masked(part),
            ])
        );
    }
    return typeof value === "string" ? maskedText(value) : value;
}
