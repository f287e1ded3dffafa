"""People, sessions, tokens, audit, jobs and the installation; row-level security on all of it."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Each setting is read once a statement (a scalar sub-select), and '' after a finished transaction is as good as unset.
ORG = "(select nullif(current_setting('app.org', true), '')::uuid)"
USER = "(select nullif(current_setting('app.user', true), '')::uuid)"
EMAIL = "(select nullif(current_setting('app.email', true), ''))"
TEAMS = "(select nullif(current_setting('app.teams', true), '')::uuid[])::uuid[]"
ALL_TEAMS = "(select coalesce(current_setting('app.all_teams', true), '') = 'on')"
INSTANCE = "(select coalesce(current_setting('app.instance', true), '') = 'on')"

BY_ORG = f"org_id = {ORG}"
BY_TEAM = f"org_id = {ORG} AND (team_id IS NULL OR {ALL_TEAMS} OR team_id = ANY ({TEAMS}))"

TABLES = """
CREATE TABLE organization (
    id uuid PRIMARY KEY,
    name varchar NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL
);
CREATE TABLE app_user (
    id uuid PRIMARY KEY,
    email varchar NOT NULL UNIQUE CHECK (email = lower(email) AND email LIKE '%_@_%'),
    name varchar NOT NULL,
    time_zone varchar NOT NULL,
    instance_admin boolean NOT NULL,
    created_at timestamptz NOT NULL,
    version integer NOT NULL
);
CREATE TABLE password (
    user_id uuid PRIMARY KEY REFERENCES app_user ON DELETE CASCADE,
    hash varchar NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE membership (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    role varchar(32) NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'owner')),
    created_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX ix_membership_user_id ON membership (user_id);
CREATE TABLE team (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    name varchar NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX team_name ON team (org_id, lower(name));
CREATE TABLE team_member (
    org_id uuid NOT NULL,
    team_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role varchar(32) NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'owner')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, team_id, user_id),
    FOREIGN KEY (org_id, team_id) REFERENCES team (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, user_id) REFERENCES membership (org_id, user_id) ON DELETE CASCADE
);
CREATE INDEX ix_team_member_user_id ON team_member (user_id);
CREATE TABLE link (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    kind varchar(32) NOT NULL CHECK (kind IN ('invitation', 'password')),
    email varchar NOT NULL CHECK (email = lower(email)),
    role varchar(32) NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'owner')),
    team_id uuid,
    created_by varchar NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, team_id) REFERENCES team (org_id, id) ON DELETE CASCADE
);
CREATE TABLE session_directory (
    secret_hash bytea PRIMARY KEY CHECK (length(secret_hash) = 32),
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    session_id uuid NOT NULL UNIQUE,
    user_id uuid NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ix_session_directory_user_id ON session_directory (user_id);
CREATE INDEX ix_session_directory_expires_at ON session_directory (expires_at);
CREATE TABLE session (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    address varchar NOT NULL,
    agent varchar NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX ix_session_user_id ON session (user_id);
CREATE TABLE token_directory (
    public_id varchar PRIMARY KEY,
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    token_id uuid NOT NULL,
    expires_at timestamptz
);
CREATE INDEX ix_token_directory_token_id ON token_directory (token_id);
CREATE INDEX ix_token_directory_expires_at ON token_directory (expires_at);
CREATE TABLE api_token (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    team_id uuid,
    name varchar NOT NULL CHECK (name <> ''),
    public_id varchar NOT NULL,
    role varchar(32) NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'owner')),
    scopes text[] NOT NULL,
    created_by varchar NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, team_id) REFERENCES team (org_id, id) ON DELETE CASCADE
);
CREATE TABLE audit (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    actor_kind varchar(32) NOT NULL,
    actor_id uuid,
    actor_name varchar NOT NULL,
    operation varchar NOT NULL,
    outcome varchar(32) NOT NULL CHECK (outcome IN ('done', 'refused')),
    target varchar NOT NULL,
    detail jsonb NOT NULL,
    address varchar NOT NULL,
    trace_id varchar NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (org_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX audit_seq ON audit (org_id, seq);
CREATE TABLE audit_default PARTITION OF audit DEFAULT;
CREATE TABLE audit_head (
    org_id uuid PRIMARY KEY REFERENCES organization ON DELETE CASCADE,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE audit_anchor (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, seq)
);
CREATE TABLE refusal_count (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    actor_id uuid NOT NULL,
    operation varchar NOT NULL,
    minute timestamptz NOT NULL,
    audit_id uuid NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (org_id, actor_id, operation, minute)
);
CREATE INDEX refusal_count_audit ON refusal_count (org_id, audit_id);
CREATE TABLE job (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    team_id uuid,
    kind varchar NOT NULL,
    key varchar,
    payload jsonb NOT NULL,
    state varchar(32) NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    progress double precision NOT NULL CHECK (progress BETWEEN 0 AND 1),
    note varchar NOT NULL,
    result jsonb,
    error varchar NOT NULL,
    created_by varchar NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    lease_owner varchar,
    lease_until timestamptz,
    fence integer NOT NULL,
    cancel_asked boolean NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX job_key ON job (org_id, kind, key) WHERE key IS NOT NULL;
CREATE INDEX job_open ON job (org_id, due_at) WHERE state IN ('waiting', 'running');
CREATE INDEX job_finished ON job (org_id, finished_at) WHERE finished_at IS NOT NULL;
CREATE TABLE lane (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    kind varchar NOT NULL,
    due_at timestamptz,
    lease_owner varchar,
    lease_until timestamptz,
    fence integer NOT NULL,
    PRIMARY KEY (org_id, kind)
);
CREATE INDEX lane_due ON lane (kind, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE idempotency_key (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    actor_id uuid NOT NULL,
    key varchar NOT NULL,
    request_hash bytea NOT NULL,
    answer varchar,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, actor_id, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (org_id, created_at);
CREATE TABLE instance (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    setup_hash bytea,
    setup_expires_at timestamptz,
    setup_done_at timestamptz
);
CREATE UNIQUE INDEX instance_single ON instance ((true));
CREATE TABLE lease (
    name varchar PRIMARY KEY,
    owner varchar NOT NULL,
    until timestamptz NOT NULL,
    fence integer NOT NULL
);
CREATE TABLE heartbeat (
    process varchar PRIMARY KEY,
    kind varchar(32) NOT NULL CHECK (kind IN ('web', 'worker')),
    version varchar NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    tick_at timestamptz
);
CREATE TABLE timer (
    name varchar PRIMARY KEY,
    every_seconds integer NOT NULL CHECK (every_seconds > 0),
    due_at timestamptz NOT NULL,
    ran_at timestamptz,
    error varchar NOT NULL
);
CREATE INDEX ix_timer_due_at ON timer (due_at);
CREATE TABLE sign_in_failure (
    subject bytea PRIMARY KEY,
    since timestamptz NOT NULL,
    count integer NOT NULL
);
CREATE INDEX ix_sign_in_failure_since ON sign_in_failure (since);
"""

GUARDS = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""

ORG_TABLES = "team link session audit audit_head audit_anchor refusal_count idempotency_key".split()
TEAM_TABLES = "api_token job".split()
INSTANCE_TABLES = "instance lease heartbeat timer sign_in_failure".split()
# Needed while somebody signs in, before the organization is known: a person sees the own rows, and no more.
OWN_POLICIES = f"""
CREATE POLICY tenant ON organization USING (id = {ORG});
CREATE POLICY own ON organization FOR SELECT
    USING (EXISTS (SELECT 1 FROM membership m WHERE m.org_id = organization.id AND m.user_id = {USER}));
CREATE POLICY tenant ON membership USING ({BY_ORG});
CREATE POLICY own ON membership FOR SELECT USING (user_id = {USER});
CREATE POLICY tenant ON team_member USING ({BY_ORG});
CREATE POLICY own ON team_member FOR SELECT USING (user_id = {USER});
CREATE POLICY own ON app_user USING (id = {USER} OR email = {EMAIL});
CREATE POLICY tenant ON app_user FOR SELECT
    USING (EXISTS (SELECT 1 FROM membership m WHERE m.user_id = app_user.id AND m.org_id = {ORG}));
CREATE POLICY own ON password USING (user_id = {USER});
CREATE POLICY keeper ON audit FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY keeper ON audit_anchor TO CURRENT_USER USING (true);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(GUARDS)
    policies = {name: BY_ORG for name in ORG_TABLES} | {name: BY_TEAM for name in TEAM_TABLES}
    policies |= {name: INSTANCE for name in INSTANCE_TABLES}
    for name, policy in policies.items():
        op.execute(f"CREATE POLICY tenant ON {name} USING ({policy})")
    op.execute(OWN_POLICIES)
    for name in [*policies, "organization", "app_user", "membership", "team_member", "password", "audit_default"]:
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("DROP TABLE audit, audit_head, audit_anchor, refusal_count CASCADE")
    op.execute("DROP FUNCTION audit_is_append_only()")
    op.execute("DROP TABLE instance, lease, heartbeat, timer, sign_in_failure, lane, job, idempotency_key CASCADE")
    op.execute("DROP TABLE session_directory, session, token_directory, api_token, link CASCADE")
    op.execute("DROP TABLE team_member, team, password, membership, app_user, organization CASCADE")
