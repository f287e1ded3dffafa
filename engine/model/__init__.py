"""The nouns: tables and enums, one file an aggregate; no queries. Importing this package knows every table."""

from engine.model import audit, instance, jobs, people, sessions, tokens

__all__ = ["audit", "instance", "jobs", "people", "sessions", "tokens"]
