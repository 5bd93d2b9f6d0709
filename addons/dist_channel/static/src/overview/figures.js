import { _t } from "@web/core/l10n/translation";
import { outboxAction, todayCounts } from "@dist_sync_queue/overview/today_counts_field";
import { stepKinds } from "@dist_sync_queue/journey/journey_fields";

todayCounts
    .add(
        "orders",
        {
            label: _t("Orders"),
            kind: "channel",
            open: (connectionId, midnight) => ({
                type: "ir.actions.act_window",
                name: _t("Orders of today"),
                res_model: "dist.channel.order",
                views: [
                    [false, "list"],
                    [false, "form"],
                ],
                domain: [
                    ["connection_id", "=", connectionId],
                    ["create_date", ">=", midnight],
                ],
            }),
        },
        { sequence: 10 }
    )
    .add(
        "availability.changed.v1",
        {
            label: _t("Stock updates"),
            kind: "channel",
            open: (connectionId, midnight) =>
                outboxAction(
                    _t("Stock updates of today"),
                    "availability.changed.v1",
                    connectionId,
                    midnight
                ),
        },
        { sequence: 20 }
    )
    .add(
        "shipment.confirm.v1",
        {
            label: _t("Shipments"),
            kind: "channel",
            open: (connectionId, midnight) =>
                outboxAction(
                    _t("Shipments of today"),
                    "shipment.confirm.v1",
                    connectionId,
                    midnight
                ),
        },
        { sequence: 30 }
    );

stepKinds
    .add("channel_order", {
        icon: "fa-shopping-basket text-primary",
        label: _t("Channel order"),
        named: true,
    })
    .add("sale_order", {
        icon: "fa-file-text-o text-primary",
        label: _t("Sales order"),
        named: true,
    })
    .add("transfer", { icon: "fa-truck text-primary", label: _t("Transfer"), named: true });
