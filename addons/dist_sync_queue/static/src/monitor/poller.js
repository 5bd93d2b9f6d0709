import { onMounted, onWillUnmount } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";

export const EVERY = 2000;
export const SLOWEST = 30000;

/**
 * Call `load` now and every two seconds, one call at a time, while the page can be seen.
 *
 * After a failure the pause doubles up to half a minute; `load` resolves to whether it succeeded.
 */
export function usePoller(load) {
    let timer = null;
    let pause = EVERY;
    let running = false;
    let alive = true;

    async function tick() {
        browser.clearTimeout(timer);
        if (running || !alive || document.hidden) {
            return;
        }
        running = true;
        const fine = await load();
        running = false;
        pause = fine ? EVERY : Math.min(pause * 2, SLOWEST);
        if (alive && !document.hidden) {
            timer = browser.setTimeout(tick, pause);
        }
    }

    function onVisibility() {
        browser.clearTimeout(timer);
        if (!document.hidden) {
            pause = EVERY;
            tick();
        }
    }

    onMounted(() => {
        document.addEventListener("visibilitychange", onVisibility);
        tick();
    });
    onWillUnmount(() => {
        alive = false;
        browser.clearTimeout(timer);
        document.removeEventListener("visibilitychange", onVisibility);
    });
    return { now: tick };
}
