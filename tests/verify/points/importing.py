"""The journey imported under a policy, as a shop would live it: day by day, with a tick after each, and long after the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from aggregates.calendar import day_start, local_day
from aggregates.programme import Programme
from aggregates.programme.policy import PublishPolicy
from aggregates.value import replace
from infra.embedded.valkey import EmbeddedRedis
from infra.settings import Settings
from streams.cli.import_ import Imported, run
from streams.commands.request import Request
from streams.commands.scheduler import tick
from streams.imports.complete_journey import SHOP, CompleteJourney
from streams.imports.policy_file import policy_file
from streams.running.app import App, running
from tests.verify.points.acts import Acts
from tests.verify.points.calendar import days
from tests.verify.points.weaving import Timed, timed, woven

POLICIES = Path(__file__).parents[3] / "docs/policies"
LAST_DAY = "2019-02-15"
"""Until when time goes on: past every review of a tier that was reached in 2017."""


@dataclass(frozen=True)
class Lived:
    """``terms``: of the policy. ``imported``: what came of all requests. ``last_day``: of the requests; then time alone went on
    ``until`` that day.
    """

    app: App
    terms: Programme
    imported: Imported
    last_day: str
    until: str = LAST_DAY


@contextmanager
def lived(folder: Path, policy: str, weeks: int, seed: int | None = None) -> Iterator[Lived]:
    """``policy``: the name of a file of them. ``seed``: of what members do beside shopping; None: nothing."""
    settings = Settings(folder)
    try:
        with running(settings, SHOP) as app:
            terms = published(app, policy)
            journey = CompleteJourney(weeks)
            requests = timed(journey.requests()) if seed is None else woven(journey.requests(), Acts(seed).follows)
            yield Lived(app, terms, *day_by_day(app, requests))
    finally:
        EmbeddedRedis(settings.valkey).stop()


def published(app: App, policy: str) -> Programme:
    """On the empty log, so that it holds from the beginning."""
    found = policy_file((POLICIES / f"{policy}.yaml").read_bytes())
    assert not found.problems
    outcome = app.handler.handle(Request(f"policy/{policy}", (PublishPolicy(found.document, 0, "owner", 0),)))
    assert outcome.accepted, outcome.sentence
    return replace(found.terms, zone=SHOP.zone, currency=SHOP.currency, version=2)


def day_by_day(app: App, requests: Iterable[Timed]) -> tuple[Imported, str]:
    imported, last_day = Imported(), ""
    for day, of_the_day in groupby(requests, lambda one: local_day(one[0], SHOP.zone)):
        add(imported, run(app, untimed(of_the_day), lambda _: None, models=False))
        last_day = day
    for day in days(last_day, LAST_DAY):
        tick(app.log, app.handler, day_start(day, SHOP.zone))
    app.follower(models=False).catch_up()
    return imported, last_day


def untimed(requests: Iterable[Timed]) -> Iterable[Request]:
    return (request for _, request in requests)


def add(whole: Imported, part: Imported) -> None:
    whole.requests += part.requests
    whole.events += part.events
    whole.refused += part.refused
    whole.refusals.update(part.refusals)
