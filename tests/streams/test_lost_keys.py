"""A log whose keys are lost, or that finds those of another log."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from aggregates.behaviour import Viewed
from aggregates.member import ChangeProfile, EraseMember, MemberRegistered, RegisterMember
from infra.errors import Misconfigured
from infra.redis.digest import digests
from infra.settings import Settings
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.registry import fold_of_part
from streams.running.app import App, running
from tests.shop import START, requests

CASE = '{"type":"member","at":1700000000000,"member_id":"m1","name":"New Name","email":"m2@example.org"}\n'


def fill(settings: Settings, name: str = "Ann") -> None:
    with running(settings) as app:
        app.handler.handle(Request("r1", (RegisterMember("m1", START, name, "ann@example.org"),)))


def registered(app: App) -> MemberRegistered:
    event = app.log.read("member-m1")[0][0]
    assert isinstance(event, MemberRegistered)
    return event


def view(request: str) -> Request:
    return Request(request, (Viewed(session=None, member="m1", product="p-1", at=START),))


@pytest.fixture
def lost(settings: Settings) -> Settings:
    """A home whose keys were removed."""
    fill(settings)
    settings.keys.unlink()
    return settings


def test_without_its_keys_a_log_is_readable_and_personal_values_are_blank(lost: Settings) -> None:
    with running(lost) as app:
        assert app.keys.problem
        assert "lost" in app.keys.problem
        assert registered(app).name is None
        assert app.follower().catch_up() == app.log.head()


def test_without_its_keys_only_what_is_not_personal_is_stored(lost: Settings) -> None:
    with running(lost) as app:
        refused = app.handler.handle(Request("r2", (ChangeProfile("m1", START, name="New"),)))
        assert (refused.accepted, refused.code) == (False, "keys_lost")
        assert app.handler.handle(Request("r3", (EraseMember("m1", START),))).code == "keys_lost"
        assert app.handler.handle(view("r4")).accepted
    with running(lost) as app:
        assert app.keys.problem, "opening it twice does not make new keys of the log"


def test_restored_keys_open_what_was_sealed(settings: Settings, tmp_path: Path) -> None:
    fill(settings)
    backup = shutil.copy(settings.keys, tmp_path / "backup")
    settings.keys.unlink()
    with running(settings):
        pass
    shutil.copy(backup, settings.keys)
    with running(settings) as app:
        assert app.keys.problem is None
        assert registered(app).name == "Ann"


def test_keys_of_another_log_are_named_and_left_as_they_are(settings: Settings, tmp_path: Path, client: redis.Redis) -> None:
    other = replace(settings, home=tmp_path / "other")
    fill(settings)
    client.flushall()
    fill(other, "Bob")
    client.flushall()
    shutil.copy(other.keys, settings.keys)
    before = settings.keys.read_bytes()
    with running(settings) as app:
        assert app.keys.problem
        assert "another log" in app.keys.problem
        assert registered(app).name is None, "it does not open with the other member's key either"
        with pytest.raises(Misconfigured, match="another log"):
            app.keys.replace(app.log.identity())
    assert settings.keys.read_bytes() == before


def test_new_keys_seal_again_and_leave_old_values_blank(lost: Settings) -> None:
    with running(lost) as app:
        app.keys.replace(app.log.identity())
        assert app.handler.handle(Request("r2", (ChangeProfile("m1", START, name="New"),))).accepted
        assert registered(app).name is None
        changed = app.log.read("member-m1")[0][1]
        assert getattr(changed, "name", None) == "New"
    with running(lost) as app:
        assert app.keys.problem is None
        assert registered(app).name is None


def test_read_models_without_keys_are_those_of_a_rebuild(settings: Settings) -> None:
    with running(settings) as app:
        app.handler.handle_all(list(requests(10)))
    settings.keys.unlink()
    found = []
    for _ in range(2):
        with running(settings) as app:
            app.views.client.flushall()
            app.announce()
            app.follower().catch_up()
            found.append(digests(app.views, fold_of_part(app.terms)))
    assert found[0] == found[1]


def test_every_command_works_without_the_keys(lost: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(lost.home))
    monkeypatch.setenv("REDIS_URL", str(lost.redis_url))
    (tmp_path / "case.jsonl").write_text(CASE)
    assert invoke("follow", "--once").exit_code == 0
    assert invoke("digest").exit_code == 0
    assert invoke("trace", "m1").exit_code == 0
    assert invoke("audit").exit_code == 0
    assert invoke("export", "shop-log", "--personal", str(tmp_path / "out.jsonl")).exit_code == 0
    assert "lost" in invoke("doctor").output
    imported = invoke("import", "shop-log", str(tmp_path / "case.jsonl"))
    assert imported.exit_code in (2, 3), imported.output
    assert "keys_lost" in imported.output
    assert invoke("log", "new-keys").exit_code == 0
    assert invoke("import", "shop-log", str(tmp_path / "case.jsonl")).exit_code == 0


def invoke(*words: str) -> Result:
    return CliRunner().invoke(regulars, list(words))
