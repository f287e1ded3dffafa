"""The door: what anybody may do. Importing this package registers every operation."""

from engine.operations import audit, jobs, live, organizations, people, profile, sessions, sign_in, system, teams, tokens

__all__ = ["audit", "jobs", "live", "organizations", "people", "profile", "sessions", "sign_in", "system", "teams", "tokens"]
