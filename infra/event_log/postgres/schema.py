"""The PostgreSQL tables, step by step; a step that was ever released is not changed. Rows of the log stay as they are."""

from __future__ import annotations

from infra.event_log.statements import EVENTS
from infra.postgres.migrate import Tables

CHANNEL = "regulars_events"

FIRST = (
    f"""CREATE TABLE {EVENTS} (
        notification_id bigint NOT NULL,
        originator_id text COLLATE "C" NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        PRIMARY KEY (originator_id, originator_version))""",
    f"CREATE UNIQUE INDEX {EVENTS}_notification_id_idx ON {EVENTS} (notification_id)",
    """CREATE FUNCTION facts_stay() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    f"""CREATE TRIGGER facts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON {EVENTS}
        FOR EACH STATEMENT EXECUTE FUNCTION facts_stay()""",
    """CREATE TABLE outcomes (
        request text COLLATE "C" PRIMARY KEY,
        accepted boolean NOT NULL,
        code text NOT NULL,
        sentence text NOT NULL,
        events bigint NOT NULL,
        position bigint NOT NULL,
        content bytea)""",
    """CREATE TABLE claims (
        kind text COLLATE "C",
        key text COLLATE "C",
        owner text COLLATE "C" NOT NULL,
        PRIMARY KEY (kind, key))""",
    "CREATE INDEX claims_by_owner ON claims (kind, owner)",
    'CREATE TABLE limits (key text COLLATE "C" PRIMARY KEY, used bigint NOT NULL, allowed bigint NOT NULL)',
    'CREATE TABLE erasures (member text COLLATE "C" PRIMARY KEY, position bigint NOT NULL, complete boolean NOT NULL)',
    """CREATE TABLE relayed (
        topic text COLLATE "C" PRIMARY KEY,
        topic_id text NOT NULL,
        position bigint NOT NULL,
        ends text NOT NULL)""",
    "CREATE TABLE lease (name text PRIMARY KEY, owner text NOT NULL, until double precision NOT NULL)",
    "CREATE TABLE shop (zone text NOT NULL, currency text NOT NULL, log text NOT NULL)",
    "CREATE UNIQUE INDEX one_shop ON shop ((true))",
)

SECOND = (
    'CREATE TABLE due (stream text COLLATE "C" PRIMARY KEY, instant bigint NOT NULL)',
    "CREATE INDEX due_by_instant ON due (instant, stream)",
    "CREATE TABLE indexed (name text PRIMARY KEY)",
)

LOG = Tables("the log", "schema_version", (FIRST, SECOND))
