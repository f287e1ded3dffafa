"""Sources, what they deliver, alerts and incidents; row-level security on all of it."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As in the revision before, which stays as it is.
ORG = "(select nullif(current_setting('app.org', true), '')::uuid)"
TEAMS = "(select nullif(current_setting('app.teams', true), '')::uuid[])::uuid[]"
ALL_TEAMS = "(select coalesce(current_setting('app.all_teams', true), '') = 'on')"
INSTANCE = "(select coalesce(current_setting('app.instance', true), '') = 'on')"
BY_ORG = f"org_id = {ORG}"
BY_TEAM = f"org_id = {ORG} AND (team_id IS NULL OR {ALL_TEAMS} OR team_id = ANY ({TEAMS}))"
BY_TEAMS = f"org_id = {ORG} AND (everybody OR {ALL_TEAMS} OR team_ids && {TEAMS})"

SEVERITY = "varchar(32) CHECK ({} IN ('critical', 'error', 'warning', 'info'))"
ALERT = f"""
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    team_id uuid,
    source_id uuid NOT NULL,
    identity bytea NOT NULL,
    identity_by varchar(32) NOT NULL CHECK (identity_by IN ('sender', 'labels', 'fields')),
    fingerprint varchar NOT NULL,
    title varchar NOT NULL,
    description varchar,
    severity {SEVERITY.format("severity")},
    severity_rank smallint NOT NULL,
    severity_word varchar,
    status varchar(32) NOT NULL CHECK (status IN ('firing', 'resolved')),
    service varchar,
    environment varchar,
    resource varchar,
    team varchar,
    labels jsonb NOT NULL,
    annotations jsonb NOT NULL,
    links jsonb NOT NULL,
    notes text[] NOT NULL,
    count integer NOT NULL,
    deliveries integer NOT NULL,
    starts_at timestamptz,
    ends_at timestamptz,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz,
    closed_at timestamptz,
    closed_by varchar,
    episodes timestamptz[] NOT NULL,
    ended_at timestamptz,
    changes timestamptz[] NOT NULL,
    flapping boolean NOT NULL,
    check_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by varchar,
    incident_id uuid,
    incident_number integer,
    content bigint NOT NULL,
    search tsvector,
    PRIMARY KEY (org_id, id),
    CHECK ((status = 'firing') = (closed_at IS NULL))
"""
TABLES = f"""
CREATE TABLE source_directory (
    public_id varchar PRIMARY KEY,
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    source_id uuid NOT NULL
);
CREATE INDEX ix_source_directory_source_id ON source_directory (source_id);
CREATE TABLE source (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    team_id uuid,
    public_id varchar NOT NULL,
    kind varchar NOT NULL,
    name varchar NOT NULL CHECK (name <> ''),
    settings jsonb NOT NULL,
    auth varchar(32) NOT NULL CHECK (auth IN ('secret', 'signature', 'address')),
    signature_header varchar NOT NULL,
    networks text[] NOT NULL,
    paused boolean NOT NULL,
    provisioned boolean NOT NULL,
    created_by varchar NOT NULL,
    created_at timestamptz NOT NULL,
    deliveries bigint NOT NULL,
    alerts bigint NOT NULL,
    rejected bigint NOT NULL,
    quarantined bigint NOT NULL,
    failures bigint NOT NULL,
    last_seen_at timestamptz,
    last_failure_at timestamptz,
    last_failure varchar NOT NULL,
    beat_at timestamptz,
    beat_due_at timestamptz,
    deleted_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, team_id) REFERENCES team (org_id, id)
);
CREATE UNIQUE INDEX source_name ON source (org_id, lower(name)) WHERE deleted_at IS NULL;
CREATE TABLE source_credential (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    team_id uuid,
    source_id uuid NOT NULL,
    public_id varchar NOT NULL,
    secret_hash bytea,
    sealed bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, source_id) REFERENCES source (org_id, id) ON DELETE CASCADE,
    CHECK ((secret_hash IS NULL) <> (sealed IS NULL))
);
CREATE INDEX ix_source_credential_source_id ON source_credential (source_id);
CREATE TABLE inbox (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    team_id uuid,
    source_id uuid NOT NULL,
    kind varchar NOT NULL,
    received_at timestamptz NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    body_hash bytea NOT NULL,
    alerts integer NOT NULL,
    part integer,
    PRIMARY KEY (org_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX inbox_body ON inbox (org_id, source_id, body_hash, id);
CREATE INDEX inbox_source ON inbox (org_id, source_id, id);
CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;
CREATE TABLE pending (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    alerts integer NOT NULL,
    bytes integer NOT NULL,
    PRIMARY KEY (org_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE TABLE quarantine (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    team_id uuid,
    source_id uuid NOT NULL,
    kind varchar NOT NULL,
    reason varchar NOT NULL,
    received_at timestamptz NOT NULL,
    delivery_id uuid,
    index integer,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    state varchar(32) NOT NULL CHECK (state IN ('waiting', 'replayed', 'discarded')),
    handled_by varchar NOT NULL,
    handled_at timestamptz,
    PRIMARY KEY (org_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX quarantine_waiting ON quarantine (org_id, id) WHERE state = 'waiting';
CREATE TABLE quarantine_default PARTITION OF quarantine DEFAULT;
CREATE TABLE intake_stage (
    stage varchar PRIMARY KEY,
    buckets jsonb NOT NULL,
    seconds double precision NOT NULL,
    count bigint NOT NULL
);
CREATE TABLE proof (
    id integer PRIMARY KEY CHECK (id = 1),
    at timestamptz NOT NULL,
    seconds double precision,
    error varchar NOT NULL
);
CREATE TABLE alert ({ALERT}) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX alert_open ON alert (org_id, identity) WHERE closed_at IS NULL;
CREATE INDEX alert_closed ON alert (org_id, identity) WHERE closed_at IS NOT NULL;
CREATE INDEX alert_status ON alert (org_id, status, id) INCLUDE (team_id);
CREATE INDEX alert_severity ON alert (org_id, status, severity_rank, id);
CREATE INDEX alert_check ON alert (org_id, check_at) WHERE check_at IS NOT NULL;
CREATE INDEX alert_search ON alert USING gin (search);
CREATE TABLE alert_history ({ALERT}) PARTITION BY RANGE (id);
CREATE INDEX alert_history_severity ON alert_history (org_id, severity_rank, id);
CREATE INDEX alert_history_search ON alert_history USING gin (search);
CREATE TABLE alert_history_default PARTITION OF alert_history DEFAULT;
CREATE TABLE alert_entry (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    team_id uuid,
    alert_id uuid NOT NULL,
    kind varchar(32) NOT NULL CHECK (kind IN ('opened', 'heard', 'repeated', 'refired', 'reopened', 'resolved', 'late', 'timed_out',
        'stale', 'steady', 'acknowledged', 'closed', 'moved')),
    severity {SEVERITY.format("severity")},
    severity_before {SEVERITY.format("severity_before")},
    starts_at timestamptz,
    said varchar,
    PRIMARY KEY (org_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX alert_entry_alert ON alert_entry (org_id, alert_id, id);
CREATE TABLE alert_entry_default PARTITION OF alert_entry DEFAULT;
CREATE TABLE incident (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    number integer NOT NULL,
    title varchar NOT NULL,
    title_team_id uuid,
    title_edited boolean NOT NULL,
    status varchar(32) NOT NULL CHECK (status IN ('detected', 'investigating', 'root_cause_found', 'mitigated', 'resolved')),
    severity {SEVERITY.format("severity")},
    severity_rank smallint NOT NULL,
    severity_by varchar,
    team_ids uuid[] NOT NULL,
    everybody boolean NOT NULL,
    group_key varchar NOT NULL,
    grouped_by varchar NOT NULL,
    environment varchar,
    services text[] NOT NULL,
    alert_count integer NOT NULL,
    open_by_severity integer[] NOT NULL,
    firings integer NOT NULL,
    owner_id uuid,
    owner_name varchar,
    acknowledged_at timestamptz,
    acknowledged_by varchar,
    opened_at timestamptz NOT NULL,
    last_alert_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by varchar,
    cause varchar,
    resolution varchar,
    merged_into uuid,
    reopened integer NOT NULL,
    check_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (org_id, id),
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX incident_by_number ON incident (org_id, number);
CREATE INDEX incident_key ON incident (org_id, group_key, id) WHERE resolved_at IS NULL;
CREATE INDEX incident_status ON incident (org_id, status, id);
CREATE INDEX incident_severity ON incident (org_id, severity_rank, id);
CREATE INDEX incident_check ON incident (org_id, check_at) WHERE check_at IS NOT NULL;
CREATE TABLE incident_alert (
    org_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    team_id uuid,
    by varchar(32) NOT NULL CHECK (by IN ('group', 'returned', 'person')),
    score real NOT NULL,
    reason varchar NOT NULL,
    joined_at timestamptz NOT NULL,
    left_at timestamptz,
    PRIMARY KEY (org_id, incident_id, alert_id)
);
CREATE INDEX incident_alert_alert ON incident_alert (org_id, alert_id);
CREATE TABLE incident_entry (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    team_id uuid,
    incident_id uuid NOT NULL,
    kind varchar(32) NOT NULL CHECK (kind IN ('opened', 'alert_joined', 'alert_refired', 'alert_resolved', 'alert_flapping',
        'alert_moved', 'severity', 'status', 'acknowledged', 'assigned', 'comment', 'edited', 'resolved', 'reopened', 'merged', 'split')),
    actor_id uuid,
    actor_name varchar NOT NULL,
    alert_id uuid,
    said varchar NOT NULL,
    detail jsonb NOT NULL,
    PRIMARY KEY (org_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX incident_entry_incident ON incident_entry (org_id, incident_id, id);
CREATE TABLE incident_entry_default PARTITION OF incident_entry DEFAULT;
CREATE TABLE incident_number (
    org_id uuid PRIMARY KEY REFERENCES organization ON DELETE CASCADE,
    last integer NOT NULL
);
"""

POLICIES = {
    BY_TEAM: "source source_credential inbox quarantine alert alert_history alert_entry incident_entry",
    BY_TEAMS: "incident",
    BY_ORG: "pending incident_alert incident_number",
    INSTANCE: "intake_stage proof",
}
PARTITIONED = "inbox quarantine alert_history alert_entry incident_entry"
# Organizations that are there already get the lanes that new ones are made with.
LANES = """
INSERT INTO lane (org_id, kind, due_at, fence)
SELECT old.org_id, new.kind, NULL, 0 FROM lane old CROSS JOIN unnest(ARRAY['inbox', 'check']) AS new (kind) WHERE old.kind = 'job'
"""


def upgrade() -> None:
    op.execute(TABLES)
    for policy, names in POLICIES.items():
        for name in names.split():
            op.execute(f"CREATE POLICY tenant ON {name} USING ({policy})")
            op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for name in PARTITIONED.split():
        op.execute(f"ALTER TABLE {name}_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(LANES)


def downgrade() -> None:
    op.execute("DELETE FROM lane WHERE kind IN ('inbox', 'check')")
    op.execute("DROP TABLE incident_number, incident_entry, incident_alert, incident CASCADE")
    op.execute("DROP TABLE alert_entry, alert_history, alert, proof, intake_stage, quarantine, pending, inbox CASCADE")
    op.execute("DROP TABLE source_credential, source, source_directory CASCADE")
