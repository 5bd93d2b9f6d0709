import { onMounted, onWillUnmount } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";

/** Sent by the workers (`engine/watch.py`), at most once a second each, to managers. */
export const PROGRESS = "dist.job/progress";

/**
 * Show how far running jobs are as soon as they say so, between two polls.
 *
 * Nothing depends on it: what the bus does not bring, the next poll does. A message about jobs that are not on the
 * screen (begun since the poll, or of another company) changes nothing.
 *
 * @param {() => Object[]} workers the workers on the screen
 * @returns `forget` what was told, before asking for a new picture; `show` what was told since, in that picture
 */
export function useProgress(workers) {
    const bus = useService("bus_service");
    const told = new Map();

    function show() {
        for (const worker of workers()) {
            const message = told.get(worker.name);
            if (message && message.job_ids.some((id) => worker.job_ids?.includes(id))) {
                const { done, total, text } = message;
                worker.progress = { done, total, text };
            }
        }
    }

    function onProgress(message) {
        told.set(message.worker, message);
        show();
    }

    onMounted(() => {
        bus.subscribe(PROGRESS, onProgress);
        bus.start();
    });
    onWillUnmount(() => bus.unsubscribe(PROGRESS, onProgress));
    return { forget: () => told.clear(), show };
}
