"""Which operation is where over REST? The whole table."""

from fastapi import APIRouter

from engine.api.expose import Route, expose
from engine.operations import audit, jobs, organizations, people, profile, sessions, sources, system, teams, tokens

ROUTES = (
    Route("GET", "/me", profile.show),
    Route("PATCH", "/me", profile.change),
    Route("POST", "/me/password", profile.change_password),
    Route("GET", "/sessions", sessions.mine),
    Route("POST", "/sessions/end", sessions.end),
    Route("POST", "/sessions/end-everywhere", sessions.end_everywhere),
    Route("PATCH", "/organization", organizations.rename),
    Route("POST", "/organizations", organizations.create, 201),
    Route("GET", "/users", people.members),
    Route("GET", "/users/{user_id}", people.member),
    Route("PATCH", "/users/{user_id}", people.change_role),
    Route("DELETE", "/users/{user_id}", people.remove, 204),
    Route("POST", "/users/{user_id}/password-link", people.password_link, 201),
    Route("GET", "/invitations", people.invitations),
    Route("POST", "/invitations", people.invite, 201),
    Route("DELETE", "/invitations/{link_id}", people.withdraw, 204),
    Route("GET", "/teams", teams.all),
    Route("POST", "/teams", teams.create, 201),
    Route("GET", "/teams/{team_id}", teams.show),
    Route("PATCH", "/teams/{team_id}", teams.rename),
    Route("DELETE", "/teams/{team_id}", teams.delete, 204),
    Route("GET", "/teams/{team_id}/members", teams.members),
    Route("PUT", "/teams/{team_id}/members/{user_id}", teams.set_member, 204),
    Route("DELETE", "/teams/{team_id}/members/{user_id}", teams.remove_member, 204),
    Route("GET", "/source-kinds", sources.kinds),
    Route("GET", "/sources", sources.all),
    Route("POST", "/sources", sources.create, 201),
    Route("GET", "/sources/{source_id}", sources.show),
    Route("PATCH", "/sources/{source_id}", sources.change),
    Route("DELETE", "/sources/{source_id}", sources.delete, 204),
    Route("POST", "/sources/{source_id}/pause", sources.pause),
    Route("POST", "/sources/{source_id}/rotate", sources.rotate),
    Route("GET", "/tokens", tokens.all),
    Route("POST", "/tokens", tokens.create, 201),
    Route("POST", "/tokens/revoke", tokens.revoke),
    Route("GET", "/audit", audit.search),
    Route("GET", "/audit/operations", audit.operations_seen),
    Route("GET", "/audit/verdict", audit.verify),
    Route("POST", "/audit/verifications", audit.request_verification, 202),
    Route("GET", "/jobs", jobs.newest),
    Route("GET", "/jobs/{job_id}", jobs.show),
    Route("POST", "/jobs/{job_id}/cancel", jobs.cancel),
    Route("GET", "/system", system.status),
)
# Reached in another way than by this table, and how.
ELSEWHERE = {
    "sessions.sign_out": "DELETE /api/v1/sessions, which also removes the cookies",
    "sessions.switch": "POST /auth/switch, which also sets the cookies",
}

router = APIRouter(prefix="/api/v1")
for row in ROUTES:
    expose(router, row)
