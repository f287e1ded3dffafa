"""What pages need beside the facts: what came each minute, saved views, and which sources are a demonstration's."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As in the revisions before, which stay as they are.
ORG = "(select nullif(current_setting('app.org', true), '')::uuid)"
TEAMS = "(select nullif(current_setting('app.teams', true), '')::uuid[])::uuid[]"
ALL_TEAMS = "(select coalesce(current_setting('app.all_teams', true), '') = 'on')"
BY_ORG = f"org_id = {ORG}"
BY_TEAM = f"org_id = {ORG} AND (team_id IS NULL OR {ALL_TEAMS} OR team_id = ANY ({TEAMS}))"

TABLES = """
ALTER TABLE source ADD demo boolean NOT NULL DEFAULT false;
ALTER TABLE source ALTER demo DROP DEFAULT;
CREATE TABLE intake_minute (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    team_id uuid,
    deliveries integer NOT NULL,
    heard integer NOT NULL,
    firings integer NOT NULL,
    waited real NOT NULL,
    slowest real NOT NULL,
    PRIMARY KEY (org_id, id, source_id)
) PARTITION BY RANGE (id);
CREATE TABLE intake_minute_default PARTITION OF intake_minute DEFAULT;
CREATE TABLE saved_view (
    org_id uuid NOT NULL REFERENCES organization ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    page varchar(32) NOT NULL CHECK (page IN ('incidents', 'alerts')),
    name varchar NOT NULL,
    query varchar NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX saved_view_name ON saved_view (org_id, user_id, page, lower(name));
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(f"CREATE POLICY tenant ON intake_minute USING ({BY_TEAM})")
    op.execute(f"CREATE POLICY tenant ON saved_view USING ({BY_ORG})")
    for name in ("intake_minute", "intake_minute_default", "saved_view"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("DROP TABLE saved_view, intake_minute CASCADE")
    op.execute("ALTER TABLE source DROP COLUMN demo")
