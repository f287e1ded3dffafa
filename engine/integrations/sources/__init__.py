"""Who sends alerts? The table: one line a kind."""

from engine.integrations.registry import Registry
from engine.integrations.sources import (
    alertmanager,
    alertmanager_api,
    cloudevents,
    generic,
    grafana,
    heartbeat,
    pagerduty,
    pagerduty_webhook,
)
from engine.integrations.sources.contract import Kind

KINDS: Registry[Kind] = Registry(
    "kind of source",
    (
        alertmanager.KIND,
        alertmanager_api.KIND,
        grafana.KIND,
        cloudevents.KIND,
        pagerduty.KIND,
        pagerduty_webhook.KIND,
        generic.KIND,
        heartbeat.KIND,
    ),
)
# The words of the address that mean another kind: `/webhook/alerts` is Alertmanager's.
ALIASES = {"alerts": "alertmanager"}
