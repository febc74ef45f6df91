"""``regulars policy``: the policy as a file that is checked, compared and published, and its versions."""

from __future__ import annotations

import getpass
import json
from contextlib import suppress
from functools import reduce
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
from infra.yaml_document import dump_yaml
from streams.cli.console import AS_JSON, CommandFailed, echo, grid, print_json, require_output, say, show_parts
from streams.cli.formatting import format_instant, read_instant
from streams.cli.groups import CommandGroup
from streams.cli.send import sent
from streams.commands.request import Request
from streams.imports.policy_file import PolicyFile, policy_file, problem_text
from streams.queries.clock import clock_of
from streams.running.app import App, open_log, running
from streams.running.idle_follower import follow_if_idle
from streams.web.acts import console_actor

FILE = click.Path(path_type=Path)

NAMED = 3
"""Changes that a line of the history names."""


@click.group("policy", cls=CommandGroup)
def policies() -> None:
    """Check, publish and compare the policy: what earns points, what they are worth, and what tiers ask and give."""


@policies.command()
@click.argument("file", type=FILE)
@AS_JSON
def check(file: Path, as_json: bool) -> None:
    """Check a policy FILE and print every problem with its line and its reason.

    Needs no log; where there is one, it also warns of wallets and tiers that the file gives up.
    """
    if as_json:
        found = read_policy(file)
        print_json({"file": str(file), "problems": [problem_text(file, problem) for problem in found.problems]})
        if found.problems:
            raise SystemExit(1)
        return
    terms = checked(file).terms
    echo(f"{file} is a policy.")
    settings = from_environment()
    if settings.log.exists() or settings.database_url:
        with suppress(Fault), open_log(settings) as (log, _):
            warn(versions(log, Policies())[0].newest, terms)


@policies.command()
@click.argument("version", type=int, required=False)
@AS_JSON
def show(version: int | None, as_json: bool) -> None:
    """Show a VERSION as a complete policy file; without one, the version in force."""
    with running(from_environment()) as app:
        known, _ = published(app)
        terms = known.at(clock_of(app)()) if version is None else of_version(known, version)
        if as_json:
            print_json({"version": terms.version, "terms": plain(terms)})
        else:
            require_output()
            click.echo(f"# version {terms.version}\n{dump_yaml(plain(terms))}", nl=False)


@policies.command()
@click.argument("file", type=FILE)
@click.option("--effective", metavar="TIME", help="ISO 8601; without an offset, the shop's own time. Default: now.")
@click.option("--by", metavar="NAME", help="Who publishes it. Default: the name you are logged in by.")
@click.option("--replaces", metavar="VERSION", type=int, help="Refuse if this is not the newest version any more.")
def publish(file: Path, effective: str | None, by: str | None, replaces: int | None) -> None:
    """Publish a policy FILE as the next version, in force from TIME on. Earlier decisions stay as they are."""
    document = checked(file).document
    with running(from_environment()) as app:
        now = clock_of(app)()
        since = now if effective is None else read_instant(effective, app.terms.zone, "--effective")
        before, _ = published(app)
        command = PublishPolicy(document, since, by or getpass.getuser(), now, replaces=replaces)
        outcome = sent(app, Request(f"policy/{uuid4()}", (command,), settled=False), console_actor())
        if not outcome.accepted:
            raise CommandFailed(outcome.sentence)
        known, _ = published(app)
        if not outcome.events:
            echo(f"Nothing changes: version {known.newest.version} says the same.")
            return
        echo(f"Version {known.newest.version} is in force from {beginning(since, app.terms)} on.")
        warn(before.at(since), known.newest)
        for replaced in sorted(holding(before) - holding(known)):
            say(f"It replaces version {replaced}, which was to take effect after it.")
        if advice := follow_if_idle(app, outcome.position):
            say(advice)


@policies.command()
@click.argument("before")
@click.argument("after", required=False)
@AS_JSON
def diff(before: str, after: str | None, as_json: bool) -> None:
    """Show what differs between two versions or files: BEFORE and AFTER. With one of them, from the newest version to it."""
    with running(from_environment()) as app:
        known, _ = published(app)
        one, other = (str(known.newest.version), before) if after is None else (before, after)
        found = list(changes(plain(named(known, one)), plain(named(known, other))))
    if as_json:
        changed = [{"term": ".".join(map(str, path)), "was": was, "becomes": becomes} for path, was, becomes in found]
        print_json({"from": one, "to": other, "changes": changed})
        return
    if not found:
        echo(f"{one} and {other} say the same.")
        return
    rows = ((".".join(map(str, path)), value(was), value(becomes)) for path, was, becomes in found)
    show_parts(grid(f"From {one} to {other}", ("term", "was", "becomes"), rows, wraps=(1, 2)))


@policies.command()
@AS_JSON
def history(as_json: bool) -> None:
    """Show every version: since when it holds, who published it, and what it changed."""
    with running(from_environment()) as app:
        known, events = published(app)
        held = holding(known)
        if as_json:
            print_json([history_document(event, known, held) for event in events])
            return
        rows = [("1", "always", "-", "-", "the programme of a shop that has published none")]
        for (was, becomes), event in zip(pairwise(known.versions), events, strict=True):
            since = beginning(becomes.since, app.terms) if becomes.terms.version in held else "never: replaced before"
            row = (event.version, since, format_instant(event.at, app.terms), event.actor, summary(was.terms, becomes.terms))
            rows.append(tuple(map(str, row)))  # type: ignore[arg-type]
    show_parts(grid("Policy", ("version", "in force from", "published", "by", "changes"), rows, wraps=(1, 3, 4)))


def history_document(event: PolicyPublished, known: Policies, held: set[int]) -> dict[str, Any]:
    """Return a version as ``--json`` prints it; ``held`` are the versions that are in force at some time."""
    since = next((version.since for version in known.versions if version.terms.version == event.version), None)
    in_force = {"in_force_from": since, "replaced_before": event.version not in held}
    return {"version": event.version, "published_at": event.at, "by": event.actor} | in_force


def read_policy(file: Path) -> PolicyFile:
    """Return a policy file with its problems. Raises :class:`~streams.cli.console.CommandFailed` if there is no such file."""
    if not file.is_file():
        raise CommandFailed(f"{file} is not a file.")
    return policy_file(file.read_bytes())


def checked(file: Path) -> PolicyFile:
    """Return a policy file without problems. Raises :class:`CommandFailed` after printing the problems of another."""
    found = read_policy(file)
    for problem in found.problems:
        say(problem_text(file, problem))
    if found.problems:
        raise CommandFailed(f"{file} has {len(found.problems)} problem{'s' * (len(found.problems) > 1)}.")
    return found


def published(app: App) -> tuple[Policies, list[PolicyPublished]]:
    """Return every version, and the events that published those after the first."""
    return versions(app.log, Policies.first(app.terms.zone, app.terms.currency, app.terms.digits))


def versions(log: EventLog, first: Policies) -> tuple[Policies, list[PolicyPublished]]:
    """Return the versions in a log, which begin with ``first``, and the events that published the others."""
    events: Any = log.read(policy.name)[0]
    return reduce(policy.evolve, events, first), list(events)


def warn(before: Programme, after: Programme) -> None:
    """Print what members may hold and ``after`` does not have."""
    for lost in dropped(before, after):
        say(lost)


def holding(known: Policies) -> set[int]:
    """Return the numbers of the versions that are in force at some time."""
    return {version.terms.version for version in known.timeline}


def named(known: Policies, what: str) -> Programme:
    """Return a version by its number, or the policy in a file."""
    if what.isdecimal() and not Path(what).exists():
        return of_version(known, int(what))
    if not Path(what).is_file():
        raise CommandFailed(f"{what} is neither a version nor a file.")
    return checked(Path(what)).terms


def of_version(known: Policies, number: int) -> Programme:
    """Return a version. Raises :class:`~streams.cli.console.CommandFailed` if there is none of that number."""
    if not 1 <= number <= len(known.versions):
        raise CommandFailed(f"There are versions 1 to {len(known.versions)}.")
    return known.version(number)


def beginning(since: int, terms: Programme) -> str:
    return format_instant(since, terms) if since else "the beginning"


def summary(was: Programme, becomes: Programme) -> str:
    """Return the first few terms that differ."""
    terms = [".".join(map(str, path)) for path, _, _ in changes(plain(was), plain(becomes))]
    more = f" and {len(terms) - NAMED} more" if len(terms) > NAMED else ""
    return ", ".join(terms[:NAMED]) + more or "nothing"


def value(term: object) -> str:
    """Return the value of a term as text."""
    return "-" if term is None else term if isinstance(term, str) else json.dumps(term, ensure_ascii=False)
