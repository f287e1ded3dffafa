"""What operators decide about alerts: rules, enrichment, silences and inhibition, and what came of them for an alert."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# As in the revisions before, which stay as they are.
ORG = "(select nullif(current_setting('app.org', true), '')::uuid)"
TEAMS = "(select nullif(current_setting('app.teams', true), '')::uuid[])::uuid[]"
ALL_TEAMS = "(select coalesce(current_setting('app.all_teams', true), '') = 'on')"
BY_ORG = f"org_id = {ORG}"
BY_TEAM = f"org_id = {ORG} AND (team_id IS NULL OR {ALL_TEAMS} OR team_id = ANY ({TEAMS}))"

TABLES = """
CREATE TABLE definition (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    team_id uuid,
    kind varchar(32) NOT NULL CHECK (kind IN ('rule', 'extraction', 'mapping', 'silence', 'inhibition')),
    name varchar NOT NULL CHECK (name <> ''),
    priority integer NOT NULL,
    enabled boolean NOT NULL,
    spec jsonb NOT NULL,
    version integer NOT NULL,
    author varchar NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    ends_at timestamptz,
    deleted_at timestamptz,
    provisioned boolean NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, team_id) REFERENCES team (org_id, id)
);
CREATE UNIQUE INDEX definition_name ON definition (org_id, kind, lower(name)) WHERE deleted_at IS NULL AND kind <> 'silence';
CREATE INDEX definition_kind ON definition (org_id, kind, ends_at) WHERE deleted_at IS NULL;
CREATE TABLE definition_version (
    org_id uuid NOT NULL,
    definition_id uuid NOT NULL,
    version integer NOT NULL,
    team_id uuid,
    spec jsonb NOT NULL,
    said varchar NOT NULL,
    author varchar NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, definition_id, version),
    FOREIGN KEY (org_id, definition_id) REFERENCES definition (org_id, id) ON DELETE CASCADE
);
CREATE TABLE decided (
    org_id uuid PRIMARY KEY REFERENCES organization ON DELETE CASCADE,
    revision bigint NOT NULL,
    indexed_to uuid
);
CREATE TABLE alert_token (
    org_id uuid NOT NULL,
    token varchar NOT NULL,
    alert_id uuid NOT NULL,
    PRIMARY KEY (org_id, token, alert_id)
);
CREATE INDEX alert_token_alert ON alert_token (org_id, alert_id);
CREATE TABLE threshold_hit (
    org_id uuid NOT NULL,
    token varchar NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (org_id, token, id)
);
CREATE INDEX threshold_hit_at ON threshold_hit (org_id, token, at);
CREATE TABLE rule_hit (
    org_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    alerts integer NOT NULL,
    PRIMARY KEY (org_id, rule_id, hour),
    FOREIGN KEY (org_id, rule_id) REFERENCES definition (org_id, id) ON DELETE CASCADE
);
ALTER TABLE alert ADD ruling jsonb, ADD tokens text[], ADD release_at timestamptz;
ALTER TABLE alert_history ADD ruling jsonb, ADD tokens text[], ADD release_at timestamptz;
ALTER TABLE incident_entry DROP CONSTRAINT incident_entry_kind_check, ADD CONSTRAINT incident_entry_kind_check CHECK (kind IN ('opened',
    'alert_joined', 'alert_refired', 'alert_resolved', 'alert_flapping', 'alert_moved', 'severity', 'status', 'acknowledged', 'assigned',
    'comment', 'edited', 'resolved', 'reopened', 'merged', 'split', 'asked'));
CREATE INDEX alert_release ON alert (org_id, release_at) WHERE release_at IS NOT NULL;
"""
KINDS_BEFORE = """
ALTER TABLE incident_entry NO FORCE ROW LEVEL SECURITY;
DELETE FROM incident_entry WHERE kind = 'asked';
ALTER TABLE incident_entry FORCE ROW LEVEL SECURITY;
ALTER TABLE incident_entry DROP CONSTRAINT incident_entry_kind_check, ADD CONSTRAINT incident_entry_kind_check CHECK (kind IN ('opened',
    'alert_joined', 'alert_refired', 'alert_resolved', 'alert_flapping', 'alert_moved', 'severity', 'status', 'acknowledged', 'assigned',
    'comment', 'edited', 'resolved', 'reopened', 'merged', 'split'));
"""
POLICIES = {BY_TEAM: "definition definition_version", BY_ORG: "decided alert_token threshold_hit rule_hit"}


def upgrade() -> None:
    op.execute(TABLES)
    for policy, names in POLICIES.items():
        for name in names.split():
            op.execute(f"CREATE POLICY tenant ON {name} USING ({policy})")
            op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute(KINDS_BEFORE)
    op.execute("ALTER TABLE alert DROP COLUMN ruling, DROP COLUMN tokens, DROP COLUMN release_at")
    op.execute("ALTER TABLE alert_history DROP COLUMN ruling, DROP COLUMN tokens, DROP COLUMN release_at")
    op.execute("DROP TABLE rule_hit, threshold_hit, alert_token, decided, definition_version, definition CASCADE")
