const SECRET =
    /pass(word|wd|phrase)?$|secret|token|credential|api_?key|authorization|private_?key|signature/i;

export const MASK = "••••••••";

/** Whether a key names something that is not for eyes. */
export function isSecret(key) {
    return typeof key === "string" && SECRET.test(key.replace(/-/g, "_"));
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
    return value;
}
