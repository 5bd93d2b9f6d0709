import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Steps that a slow machine has a minute for, each; a step that is never reached fails all the same. */
const patient = (steps) => steps.map((step) => ({ timeout: 60000, ...step }));

const settled = { content: "The form is saved", trigger: ".o_form_view .o_form_saved" };

/** From an empty list to a test under way; the relay's answer is the test case's part. */
tours.add("dist_channel_set_up", {
    steps: () =>
        patient([
            {
                content: "Open the configuration",
                trigger: "button[data-menu-xmlid='dist_sync_queue.dist_menu_configuration']",
                run: "click",
            },
            {
                content: "Open the channels",
                trigger: ".dropdown-item[data-menu-xmlid='dist_channel.dist_menu_channels']",
                run: "click",
            },
            { content: "New channel", trigger: ".o_list_button_add", run: "click" },
            {
                content: "Name it",
                trigger: ".o_field_widget[name=name] textarea, .o_field_widget[name=name] input",
                run: "edit Tour store",
            },
            {
                content: "Look for the adapter",
                trigger: ".o_field_widget[name=adapter_id] input",
                run: "edit Tour shop",
            },
            {
                content: "Choose the adapter",
                trigger: ".ui-autocomplete a:contains('Tour shop')",
                run: "click",
            },
            {
                content: "Its settings appear; a wrong one is told at once",
                trigger: ".o_dist_json_row[data-key=shop_domain] input",
                run: "edit no domain && press Tab",
            },
            {
                content: "The message stands beside the field",
                trigger: ".o_dist_json_row[data-key=shop_domain] [role=alert]",
            },
            {
                content: "A right one",
                trigger: ".o_dist_json_row[data-key=shop_domain] input",
                run: "edit tour.example && press Tab",
            },
            {
                content: "The message is gone",
                trigger: ".o_dist_json_row[data-key=shop_domain]:not(:has([role=alert]))",
            },
            {
                content: "Choose a mode",
                trigger: ".o_dist_json_row[data-key=mode] select",
                run: "select test",
            },
            { content: "Save", trigger: ".o_form_button_save", run: "click" },
            settled,
            {
                content: "Settings are done, credentials are next",
                trigger:
                    ".o_dist_setup_done[data-step=settings] ~ .o_dist_setup_current[data-step=credentials]",
            },
            {
                content: "Credentials are typed into a password field",
                trigger:
                    ".o_dist_credentials .o_dist_json_row[data-key=token] input[type=password]",
                run: "edit tour-secret-1 && press Tab",
            },
            { content: "Store them", trigger: ".o_dist_store_credentials", run: "click" },
            {
                content: "They are stored and not shown",
                trigger: ".o_dist_credentials:not(:has(input)) .badge:contains('Stored')",
            },
            {
                content: "Test the connection",
                trigger: ".o_dist_setup:has(.o_dist_setup_current[data-step=test]) .btn-primary",
                run: "click",
            },
            { content: "The relay is asked", trigger: ".o_dist_setup_hint .fa-spinner" },
        ]),
});

/** After the relay's answer: locations, activation. */
tours.add("dist_channel_activate", {
    steps: () =>
        patient([
            {
                content: "Go on where the set-up stopped",
                trigger: ".o_kanban_record:contains('Tour store') button[name=action_open]",
                run: "click",
            },
            {
                content: "The test has passed, locations are next",
                trigger: ".o_dist_setup_current[data-step=locations] button",
                run: "click",
            },
            {
                content: "Choose the warehouse of a location",
                trigger:
                    ".o_field_widget[name=location_ids] .o_data_row:contains('East') [name=warehouse_id]",
                run: "click",
            },
            {
                content: "Look for it",
                trigger:
                    ".o_field_widget[name=location_ids] .o_selected_row [name=warehouse_id] input",
                run: "edit Tour warehouse",
            },
            {
                content: "Take it",
                trigger: ".ui-autocomplete a:contains('Tour warehouse')",
                run: "click",
            },
            { content: "Save", trigger: ".o_form_button_save", run: "click" },
            settled,
            {
                content: "Activate",
                trigger:
                    ".o_dist_setup:has(.o_dist_setup_current[data-step=activate]) .btn-primary",
                run: "click",
            },
            {
                content: "The channel is active, its set-up over",
                trigger:
                    ".o_form_view:not(:has(.o_dist_setup)) .o_arrow_button_current:contains('Active')",
            },
        ]),
});

/** An order with an unknown product waits; the product is chosen. */
tours.add("dist_channel_map_sku", {
    steps: () =>
        patient([
            {
                content: "The card tells that something waits",
                trigger: ".o_kanban_record:contains('Tour store') a[name=action_open_exceptions]",
                run: "click",
            },
            {
                content: "Open the problem",
                trigger: ".o_data_row:contains('unknown product') [name=name]",
                run: "click",
            },
            {
                content: "It says what to do",
                trigger: ".o_field_widget[name=fix]:contains('mappings')",
            },
            {
                content: "Open the menu of channels",
                trigger: "button[data-menu-xmlid='dist_channel.dist_menu_sales']",
                run: "click",
            },
            {
                content: "Open the mappings",
                trigger: ".dropdown-item[data-menu-xmlid='dist_channel.dist_menu_mappings']",
                run: "click",
            },
            {
                content: "Edit the listing",
                trigger: ".o_data_row:contains('STORE-SKU') [name=product_id]",
                run: "click",
            },
            {
                content: "Look for the product",
                trigger: ".o_selected_row [name=product_id] input",
                run: "edit TOUR-1",
            },
            {
                content: "Take it",
                trigger: ".ui-autocomplete a:contains('TOUR-1')",
                run: "click",
            },
            { content: "Save", trigger: ".o_list_button_save", run: "click" },
            {
                content: "The listing is matched",
                trigger: ".o_data_row:contains('STORE-SKU') [name=state]:contains('Matched')",
            },
        ]),
});

/** The order went on by itself; everything that happened to it is on one screen. */
tours.add("dist_channel_journey", {
    steps: () =>
        patient([
            {
                content: "Open the orders of today",
                trigger: ".o_kanban_record:contains('Tour store') [data-figure=orders]",
                run: "click",
            },
            {
                content: "Open the order",
                trigger: ".o_data_row:contains('Imported') [name=name]",
                run: "click",
            },
            {
                content: "It has a sales order",
                trigger: ".o-form-buttonbox button[name=action_view_sale_order]",
            },
            {
                content: "Open its journey",
                trigger: ".o-form-buttonbox button[name=action_journey]",
                run: "click",
            },
            {
                content: "It begins with the event",
                trigger: ".o_dist_journey .o_data_row:contains('Order received')",
            },
            {
                content: "The problem is in it",
                trigger: ".o_dist_journey .o_data_row:contains('unknown product'):contains('Done')",
            },
            {
                content: "And what it became",
                trigger:
                    ".o_dist_journey .o_data_row:contains('Sales order'):contains('Confirmed') [name=name]",
                run: "click",
            },
            {
                content: "The sales order leads back",
                trigger: ".o-form-buttonbox button[name=action_view_channel_order]",
            },
        ]),
});
