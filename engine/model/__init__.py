"""The nouns: tables and enums, one file an aggregate; no queries. Importing this package knows every table."""

from engine.model import alerts, audit, inbox, incidents, instance, jobs, overview, people, saved_views, sessions, sources, tokens

__all__ = [
    "alerts",
    "audit",
    "inbox",
    "incidents",
    "instance",
    "jobs",
    "overview",
    "people",
    "saved_views",
    "sessions",
    "sources",
    "tokens",
]
