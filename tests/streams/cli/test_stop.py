"""``regulars stop``, with the servers that a home has."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.embedded import valkey
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis
from infra.errors import Unreachable
from infra.settings import Settings
from streams.cli.servers import stop
from tests.packaged import forget


@pytest.mark.servers
def test_stop_stops_the_other_servers_if_redis_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(tmp_path)
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path))
    monkeypatch.setattr(valkey, "ANSWER_TIMEOUT", 0.1)
    redis, postgres = EmbeddedRedis(settings.valkey), EmbeddedPostgres(settings.postgres)
    redis.start()
    postgres.start()
    process = redis.server_pid()
    assert process
    os.kill(process, signal.SIGSTOP)
    try:
        with monkeypatch.context() as hurried:
            hurried.setattr(valkey, "START_TIMEOUT", 0.3)
            told = CliRunner().invoke(stop)
        assert isinstance(told.exception, Unreachable)
        assert "embedded Redis does not answer" in str(told.exception)
        assert "PostgreSQL has stopped" in told.output
        assert not postgres.server_pid()
    finally:
        os.kill(process, signal.SIGCONT)
        assert redis.stop()
        forget(postgres)
