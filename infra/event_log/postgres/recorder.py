"""The library's datastore and recorder on our connections and table, so that its tools read our log."""

from __future__ import annotations

from typing import Any, cast

from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from infra.event_log.statements import EVENTS
from infra.postgres.address import options

MOST = 32  # connections; threads that read at the same time have one each
POOL_TIMEOUT = 10.0  # seconds until a connection must be free
RECONNECT_TIMEOUT = 5.0  # seconds until the pool gives up, so that whoever asks next tries at once
LOCK_TIMEOUT = 30  # seconds another process may hold the writer's lock
IDLE_TIMEOUT = 60  # seconds a transaction may wait for its process, which may be gone


class Datastore(PostgresDatastore):
    """``kept``: connections that stay open; more are opened while threads need them."""

    def __init__(self, url: str, kept: int) -> None:
        super().__init__("", "", "", "", "", originator_id_type="text")
        self.pool = ConnectionPool(
            conninfo=url,
            connection_class=cast("type[Connection[DictRow]]", Connection),
            kwargs={"row_factory": dict_row, "autocommit": True, **options(url)},
            min_size=kept,
            max_size=max(kept, MOST),
            open=False,
            configure=configured,
            timeout=POOL_TIMEOUT,
            reconnect_timeout=RECONNECT_TIMEOUT,
            num_workers=1,
        )


def configured(connection: Connection[Any]) -> None:
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}s'")


class Recorder(PostgresApplicationRecorder):
    """For reading. It cannot write: only an append gives positions."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, events_table_name=EVENTS)
        self.sql_create_statements = []
