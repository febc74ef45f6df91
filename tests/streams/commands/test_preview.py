"""A dry run decides as the command would, and reads of the erasures only those that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aggregates.member import ChangeProfile, EraseMember, RegisterMember
from aggregates.programme import Policies
from infra.event_log.log import EventLog
from infra.settings import Settings
from streams.commands.handler import Handler
from streams.commands.preview import Erasures
from streams.commands.request import Request
from streams.running.app import open_log


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[EventLog, Handler]]:
    settings = Settings(tmp_path / "home")
    settings.home.mkdir()
    with open_log(settings) as (log, keys), closing(Handler(log, keys, Policies.first("UTC", "EUR"))) as handler:
        yield log, handler


def register(member: str) -> Request:
    return Request(f"register-{member}", (RegisterMember(member=member, at=1),))


def erase(member: str) -> Request:
    return Request(f"erase-{member}", (EraseMember(member=member, at=2),))


def test_a_dry_run_knows_who_was_erased_before_and_since_the_last_one(shop: tuple[EventLog, Handler]) -> None:
    _, handler = shop
    change = Request("change", (ChangeProfile(member="ada", name="Ada", at=3),))
    assert handler.handle(register("ada")).accepted
    assert handler.preview(change).outcome.accepted
    assert handler.handle(erase("ada")).accepted
    refused = handler.preview(change).outcome
    assert (refused.accepted, refused.code) == (False, handler.handle(change).code)


def test_erasures_that_were_read_once_are_not_read_again(shop: tuple[EventLog, Handler]) -> None:
    log, handler = shop
    erasures = Erasures(log)
    for member in ("ada", "eve"):
        handler.handle(register(member))
        handler.handle(erase(member))
        assert member in erasures.now()
        assert log.erased(after=max(log.erased().values())) == {}
    assert erasures.now() == {"ada", "eve"}
