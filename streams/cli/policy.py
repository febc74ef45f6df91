"""``regulars policy``: what the programme says, as a file that is checked, compared, published, and kept by its versions."""

from __future__ import annotations

import getpass
import json
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from aggregates.programme import Policies, Programme
from aggregates.programme.document import changes, dropped, plain
from aggregates.programme.policy import PolicyPublished, PublishPolicy, policy
from infra.errors import Fault
from infra.event_log.log import EventLog
from infra.settings import from_environment
from infra.yaml_document import written
from streams.cli.console import ERR, OUT, grid, instant
from streams.cli.tick import clock_of, told
from streams.commands.request import Request
from streams.imports.policy_file import PolicyFile, policy_file, problem_text
from streams.running.app import App, open_log, running

FILE = click.Path(path_type=Path)

NAMED = 3
"""Changes that a line of the history names."""


@click.group("policy")
def policies() -> None:
    """What earns points, what they are worth, and what tiers ask and give: checked, published, compared."""


@policies.command()
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Check a policy FILE: every problem with its line and its reason. Needs no log; where one is, what it gives up is told."""
    terms = checked(file).terms
    OUT.print(f"{file} is a policy.", soft_wrap=True, markup=False)
    settings = from_environment()
    if settings.log.exists() or settings.database_url:
        with suppress(Fault), open_log(settings) as (log, _):
            warn(versions(log, Policies())[0].newest, terms)


@policies.command()
@click.argument("version", type=int, required=False)
def show(version: int | None) -> None:
    """Show a VERSION as a policy file, complete; without one, the version in force."""
    with running(from_environment()) as app:
        known, _ = published(app)
        terms = known.at(clock_of(app)()) if version is None else of_version(known, version)
        click.echo(f"# version {terms.version}\n{written(plain(terms))}", nl=False)


@policies.command()
@click.argument("file", type=FILE)
@click.option("--effective", metavar="TIME", help="ISO 8601; without an offset, the shop's own time. Default: now.")
@click.option("--by", metavar="NAME", help="Who publishes it. Default: the name you are logged in by.")
@click.option("--replaces", metavar="VERSION", type=int, help="Refuse if this is not the newest version any more.")
def publish(file: Path, effective: str | None, by: str | None, replaces: int | None) -> None:
    """Publish a policy FILE as the next version, in force from TIME on. Decisions that were taken stay as they are."""
    document = checked(file).document
    with running(from_environment()) as app:
        now = clock_of(app)()
        since = now if effective is None else told(effective, app.terms.zone, "--effective")
        before, _ = published(app)
        command = PublishPolicy(document, since, by or getpass.getuser(), now, replaces=replaces)
        outcome = app.handler.handle(Request(f"policy/{uuid4()}", (command,), settled=False))
        if not outcome.accepted:
            raise click.ClickException(outcome.sentence)
        known, _ = published(app)
        if not outcome.events:
            OUT.print(f"Nothing changes: version {known.newest.version} says the same.")
            return
        OUT.print(f"Version {known.newest.version} is in force from {beginning(since, app.terms)} on.")
        warn(before.at(since), known.newest)
        for replaced in sorted(holding(before) - holding(known)):
            ERR.print(f"It replaces version {replaced}, which was to take effect after it.")


@policies.command()
@click.argument("before")
@click.argument("after", required=False)
def diff(before: str, after: str | None) -> None:
    """What differs between two versions or files: BEFORE and AFTER. With one of them, from the newest version to it."""
    with running(from_environment()) as app:
        known, _ = published(app)
        one, other = (str(known.newest.version), before) if after is None else (before, after)
        found = list(changes(plain(named(known, one)), plain(named(known, other))))
    if not found:
        OUT.print(f"{one} and {other} say the same.", soft_wrap=True, markup=False)
        return
    rows = ((".".join(map(str, path)), value(was), value(becomes)) for path, was, becomes in found)
    OUT.print(grid(f"From {one} to {other}", ("term", "was", "becomes"), rows))


@policies.command()
def history() -> None:
    """Every version: since when, by whom, and what it changed."""
    with running(from_environment()) as app:
        known, events = published(app)
        held = holding(known)
        rows = [("1", "always", "-", "-", "the programme of a shop that has published none")]
        for (was, becomes), event in zip(pairwise(known.versions), events, strict=True):
            since = beginning(becomes.since, app.terms) if becomes.terms.version in held else "never: replaced before"
            row = (event.version, since, instant(event.at, app.terms), event.actor, summary(was.terms, becomes.terms))
            rows.append(tuple(map(str, row)))  # type: ignore[arg-type]
    OUT.print(grid("Policy", ("version", "in force from", "published", "by", "changes"), rows))


def checked(file: Path) -> PolicyFile:
    if not file.is_file():
        raise click.ClickException(f"{file} is no file.")
    found = policy_file(file.read_bytes())
    for problem in found.problems:
        click.echo(problem_text(file, problem), err=True)
    if found.problems:
        raise click.ClickException(f"{file} has {len(found.problems)} problem{'s' * (len(found.problems) > 1)}.")
    return found


def published(app: App) -> tuple[Policies, list[PolicyPublished]]:
    """Every version, and the events that published those after the first."""
    return versions(app.log, Policies.first(app.terms.zone, app.terms.currency))


def versions(log: EventLog, first: Policies) -> tuple[Policies, list[PolicyPublished]]:
    events: Any = log.read(policy.name)[0]
    return policy.rebuild(events) if events else first, list(events)


def warn(before: Programme, after: Programme) -> None:
    """Of what members may hold and ``after`` does not know."""
    for lost in dropped(before, after):
        ERR.print(lost, soft_wrap=True, markup=False)


def holding(known: Policies) -> set[int]:
    """The versions that hold at some time."""
    return {version.terms.version for version in known.timeline}


def named(known: Policies, what: str) -> Programme:
    """A version by its number, or a file."""
    if what.isdecimal() and not Path(what).exists():
        return of_version(known, int(what))
    if not Path(what).is_file():
        raise click.ClickException(f"{what} is neither a version nor a file.")
    return checked(Path(what)).terms


def of_version(known: Policies, number: int) -> Programme:
    if not 1 <= number <= len(known.versions):
        raise click.ClickException(f"There are versions 1 to {len(known.versions)}.")
    return known.version(number)


def beginning(since: int, terms: Programme) -> str:
    return instant(since, terms) if since else "the beginning"


def summary(was: Programme, becomes: Programme) -> str:
    terms = [".".join(map(str, path)) for path, _, _ in changes(plain(was), plain(becomes))]
    more = f" and {len(terms) - NAMED} more" if len(terms) > NAMED else ""
    return ", ".join(terms[:NAMED]) + more or "nothing"


def value(told: object) -> str:
    return "-" if told is None else told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
