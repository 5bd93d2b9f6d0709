import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Steps that a slow machine has a minute for, each; a step that is never reached fails all the same. */
const patient = (steps) => steps.map((step) => ({ timeout: 60000, ...step }));

const menu = (section, item) => [
    {
        content: "Open the menu",
        trigger: `button[data-menu-xmlid='dist_sync_queue.${section}']`,
        run: "click",
    },
    {
        content: "Open the screen",
        trigger: `.dropdown-item[data-menu-xmlid='dist_sync_queue.${item}']`,
        run: "click",
    },
];

/** A dead job is found, looked at, and run again after a question. */
tours.add("dist_engine_jobs", {
    steps: () =>
        patient([
            ...menu("dist_menu_technical", "dist_menu_jobs"),
            {
                content: "The jobs are there",
                trigger: ".o_list_view .o_data_row:contains('Tour work')",
            },
            {
                content: "Open the filters",
                trigger: ".o_searchview_dropdown_toggler",
                run: "click",
            },
            {
                content: "Only the dead ones",
                trigger: ".o_filter_menu .o_menu_item:contains('Dead')",
                run: "click",
            },
            {
                content: "Work is called by its name",
                trigger: ".o_data_row:contains('Tour work'):contains('Dead') [name=handler_name]",
                run: "click",
            },
            {
                content: "The timeline tells the attempt",
                trigger: ".o_notebook .nav-link[name=timeline]",
                run: "click",
            },
            { content: "With its error", trigger: ".o_dist_timeline:contains('no route')" },
            {
                content: "The picture shows what waits for it",
                trigger: ".o_notebook .nav-link[name=graph]",
                run: "click",
            },
            {
                content: "Two jobs, this one is marked",
                trigger:
                    ".o_dist_graph:has([aria-current=true][data-state=dead]):has([data-state=waiting])",
            },
            {
                content: "Back to the list",
                trigger: ".o_back_button a, .breadcrumb-item a",
                run: "click",
            },
            {
                content: "Choose it",
                trigger:
                    ".o_data_row:contains('Tour work'):contains('Dead') .o_list_record_selector input",
                run: "click",
            },
            {
                content: "Run again",
                trigger: ".o_control_panel button[name=action_ask_requeue]",
                run: "click",
            },
            {
                content: "The dialog says how many",
                trigger: ".modal [name=summary]:contains('1 of 1 selected jobs')",
            },
            { content: "Confirm", trigger: ".modal button[name=action_confirm]", run: "click" },
            { content: "It is done", trigger: ".o_notification:contains('1 of 1')" },
            ...menu("dist_menu_technical", "dist_menu_audit"),
            { content: "It is written down", trigger: ".o_data_row:contains('Run again')" },
        ]),
});

/** A lane is paused and what runs is asked to stop. */
tours.add("dist_engine_monitor", {
    steps: () =>
        patient([
            {
                content: "Open the monitor",
                trigger: "a[data-menu-xmlid='dist_sync_queue.dist_menu_monitor']",
                run: "click",
            },
            {
                content: "The lane with its work",
                trigger: "[data-lane=tour]:contains('Tour work') .o_dist_toggle",
                run: "click",
            },
            { content: "It is paused", trigger: "[data-lane=tour] .badge:contains('Paused')" },
            {
                content: "Stop what the worker runs",
                trigger: ".o_dist_worker:contains('Tour work') .o_dist_stop",
                run: "click",
            },
            { content: "After a question", trigger: ".modal-footer .btn-primary", run: "click" },
            { content: "The dialog is gone", trigger: "body:not(:has(.modal))" },
            { content: "Health", trigger: "button[name=health]", run: "click" },
            { content: "Findings", trigger: ".o_dist_finding" },
        ]),
});
