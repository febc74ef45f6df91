"""``regulars replay``: rebuild read models from the log beside the live ones, switch, go back, and drop what is not served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from aggregates.programme import Programme
from infra.redis.views import Views
from infra.settings import Settings, from_environment
from infra.telemetry.logs import throttle_client_logs
from streams.cli.at import is_time
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, say, show_parts
from streams.cli.formatting import format_instant, read_instant
from streams.cli.progress import ProgressWriter, Task, progress
from streams.kafka.topics import broker_settings
from streams.projecting.loaders import Fold
from streams.registry import folds
from streams.replay.rebuild.from_topics import Since, TopicRebuild
from streams.replay.rebuild.needs import RebuildNeeds, needs_of
from streams.replay.rebuild.old_versions import drop, droppable, old_readers_lose, roll_back, still_read, version_rows
from streams.replay.rebuild.part import SAMPLED
from streams.replay.rebuild.served import raised_folds
from streams.replay.rebuild.version import Rebuilt, VersionRebuild
from streams.running.app import App, connected, open_codec, running
from streams.running.parallel_follower import DIVIDE_AT, cores

STEPS = {"fold": "fold in memory", "load": "write into Redis", "follow": "follow the log", "verify": "compare with the log"}


@click.command()
@click.argument("names", metavar="[FOLD]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every fold, the learner too.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be rebuilt and whether Redis has the memory for it, and do nothing."
)
@click.option("--rollback", is_flag=True, help="Serve the version before the last switch again.")
@click.option("--drop", "dropping", is_flag=True, help="Remove the versions that are not served.")
@click.option("--now", is_flag=True, help="With --drop: do not wait for readers, who may use a version for a minute more.")
@click.option("--unfinished", is_flag=True, help="With --drop: remove also what a killed rebuild has begun.")
@click.option("--status", is_flag=True, help="Show which versions there are.")
@click.option(
    "--throttle", type=click.FloatRange(0, 0.95), default=0.0, metavar="SHARE", help="Rest for this share of the time."
)
@click.option(
    "--from-topics",
    is_flag=True,
    help="Read Kafka's topics, where the log's database is out of reach; its keys must be in reach.",
)
@click.option(
    "--since",
    metavar="OFFSET|TIME",
    help="With --from-topics: read each partition from there. Refused if the new version then lacks records.",
)
@click.option(
    "--processes", type=click.IntRange(1), metavar="N", help="Fold with so many processes. Without it, one for each core."
)
@click.option(
    "--one-by-one", is_flag=True, help="Fold each read model by itself: slower, with the memory that the largest one takes."
)
@click.option("--sample", default=SAMPLED, show_default=True, type=click.IntRange(0), help="Keys of each fold to compare.")
@AS_JSON
def replay(
    names: Sequence[str],
    every: bool,
    dry_run: bool,
    rollback: bool,
    dropping: bool,
    now: bool,
    unfinished: bool,
    status: bool,
    throttle: float,
    from_topics: bool,
    since: str | None,
    processes: int | None,
    one_by_one: bool,
    sample: int,
    as_json: bool,
) -> None:
    """Rebuild read models from the log in new keys, and switch to these in one step; readers and live traffic go on.

    Without a FOLD, those whose version this program has raised. A rebuild that was killed goes on when it is run again.
    """
    if names and every:
        raise click.UsageError("Name folds, or give --all.")
    if (now or unfinished) and not dropping:
        raise click.UsageError("--now and --unfinished go with --drop.")
    if since is not None and not from_topics:
        raise click.UsageError("--since goes with --from-topics.")
    settings = from_environment()
    if from_topics:
        if dry_run or rollback or dropping or status:
            raise click.UsageError("--from-topics goes with FOLD, --all and --since only.")
        rebuild_from_topics(settings, names, every, since, as_json)
        return
    with running(settings) as app:
        chosen = choose(app.terms, app.views, names, every or ((dropping or rollback or status) and not names))
        if status:
            show_status(app, chosen, as_json)
        elif dropping:
            drop_old(app, chosen, now, unfinished, as_json)
        elif rollback:
            go_back(app, chosen, bool(names) or every, as_json)
        elif not chosen:
            finish(as_json, {"folds": []}, "Redis holds every fold in this program's version: name a FOLD, or give --all.")
        elif dry_run:
            show_needs(needs_of(app, chosen), as_json)
        else:
            pause, count = throttle / (1 - throttle), processes or processes_for(app)
            run(VersionRebuild(app, chosen, pause=pause, sampled=sample, processes=count, one_by_one=one_by_one), as_json)


def choose(terms: Programme, views: Views, names: Sequence[str], every: bool) -> list[Fold]:
    """Return the folds that a command is about, the learner last."""
    known: dict[str, Fold] = {fold.name: fold for fold in folds(terms)}
    if unknown := [name for name in names if name not in known]:
        raise CommandFailed(f"There is no fold {unknown[0]}; there are {', '.join(known)}.")
    if every:
        return list(known.values())
    return [known[name] for name in known if name in names] if names else raised_folds(views, known.values())


def processes_for(app: App) -> int:
    """Return how many processes to fold with: one for each core, one alone for a log that is folded sooner than they start."""
    return cores() if app.log.head() >= DIVIDE_AT else 1


def run(rebuild: VersionRebuild, as_json: bool) -> None:
    """Rebuild, with a bar for each step."""
    found = needs_of(rebuild.app, rebuild.folds)
    if found.problem:
        raise CommandFailed(found.problem)
    with progress(transient=True, quiet=as_json) as writer:
        rebuild.report = Bars(writer).report
        done = rebuild.run()
    finish(as_json, document_of(done), *sentences_of(done))


def rebuild_from_topics(settings: Settings, names: Sequence[str], every: bool, since: str | None, as_json: bool) -> None:
    """Rebuild from Kafka without opening the log; the settings name the shop's zone."""
    throttle_client_logs()
    terms = Programme(settings.zone, settings.currency)
    with connected(settings) as views, open_codec(settings) as codec, progress(transient=True, quiet=as_json) as writer:
        served = Views.served(views.client)
        refuse_other_shop(served, terms)
        unsaid = f"This Redis does not say of which shop it is: {terms.zone} and {terms.currency} were taken."
        doubts = [] if served.shop() else [unsaid]
        chosen = choose(terms, served, names, every)
        if not chosen:
            raise CommandFailed("Redis holds every fold in this program's version: name a FOLD, or give --all.")
        begin = None if since is None else read_since(since, terms)
        kafka, bars = broker_settings(settings), Bars(writer)
        done = TopicRebuild(served, codec, terms.zone, kafka, chosen, begin, bars.report).run()
    finish(
        as_json,
        document_of(done),
        f"{done.version} is served, rebuilt from the topics up to position {done.position:,} in {done.seconds:,.1f} s. "
        "Nothing was compared with the log: `regulars verify` does so once it is in reach.",
        *doubts,
    )


def refuse_other_shop(served: Views, terms: Programme) -> None:
    """Raise :class:`CommandFailed` if this Redis is that of a shop with another time zone or currency."""
    if (shop := served.shop()) and shop != (terms.zone, terms.currency):
        raise CommandFailed(
            f"This Redis is of a shop with REGULARS_ZONE={shop[0]} and REGULARS_CURRENCY={shop[1]}, not {terms.zone} and "
            f"{terms.currency}: set both. Nothing was done."
        )


def read_since(text: str, terms: Programme) -> Since:
    """Return where to begin to read partitions. Raises :class:`click.BadParameter`."""
    return Since(at=read_instant(text, terms.zone, "--since")) if is_time(text) else Since(offset=int(text.removeprefix("#")))


class Bars:
    """A bar for each step of a rebuild, as it begins."""

    def __init__(self, writer: ProgressWriter) -> None:
        self._writer = writer
        self._tasks: dict[str, Task] = {}

    def report(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._writer.add(STEPS[step], total=total)
        amount = f"{done:,} of {total:,} {'folds' if step in ('load', 'verify') else 'events'}"
        self._writer.update(self._tasks[step], done, amount, total=total)


def document_of(done: Rebuilt) -> dict[str, Any]:
    """Return what ``--json`` prints of a rebuild."""
    return {
        "version": done.version,
        "position": done.position,
        "resumed": done.resumed,
        "seconds": round(done.seconds, 1),
        "replica": done.confirmed,
        "folds": [one._asdict() for one in done.compared],
    }


def sentences_of(done: Rebuilt) -> list[str]:
    rate = done.position / done.seconds if done.seconds else 0.0
    said = [f"{one.fold}: {one.entries:,} keys, {one.sampled:,} compared with the log{changed(one)}." for one in done.compared]
    if done.resumed:
        said.append("What a run before had filled was compared with the log then.")
    if done.confirmed is False:
        said.append("No replica of Redis has confirmed the switch: after a failover the version before may be served again.")
    return [
        *said,
        f"{done.version} is served. {done.position:,} events in {done.seconds:,.1f} s ({rate:,.0f}/s).",
        "The version before it is kept up: `regulars replay --rollback` goes back to it, `regulars replay --drop` removes it.",
    ]


def changed(one: Any) -> str:
    return f", {one.differ_from_served:,} of them other than before" if one.differ_from_served else ""


def go_back(app: App, chosen: Sequence[Fold], named: bool, as_json: bool) -> None:
    """Serve the earlier version of these folds again; without names, of those that have one."""
    if not named:
        kept = {one.name for one in droppable(app, chosen, unfinished=False)}
        chosen = [fold for fold in chosen if fold.name in kept]
        if not chosen:
            raise CommandFailed("No earlier version is kept: there is nothing to go back to.")
    back = roll_back(app, chosen)
    said = ", ".join(f"{one.fold} ({one.version})" for one in back)
    finish(as_json, {"served": {one.name: one.version for one in back}}, f"Served again: {said}.")


def drop_old(app: App, chosen: Sequence[Fold], now: bool, unfinished: bool, as_json: bool) -> None:
    """Remove what is not served of these folds."""
    records = droppable(app, chosen, unfinished)
    if not now and (seconds := still_read(app, records)):
        raise CommandFailed(
            f"Readers may use the version before the switch for {seconds:.0f} s more: run this again then, or give --now."
        )
    if old_readers_lose(app):
        say("Some folds are served in another version than the rest: readers of `regulars:version` alone lose these keys.")
    removed = drop(app, records)
    gone = ", ".join(dict.fromkeys(f"{one.fold} ({one.version})" for one in records))
    finish(
        as_json,
        {"dropped": [one.field for one in records], "keys": removed},
        f"Removed {gone}: {removed:,} keys." if records else "Nothing is kept beside what is served.",
    )


def show_status(app: App, chosen: Sequence[Fold], as_json: bool) -> None:
    rows = list(version_rows(app, chosen))
    if as_json:
        print_json({"versions": rows})
        return
    columns = ("version", "fold", "state", "position", "since")
    cells = (
        (
            row.version,
            row.fold,
            row.state,
            "-" if row.position is None else f"{row.position:,}",
            format_instant(row.since or None, app.terms),
        )
        for row in rows
    )
    show_parts(grid("Versions", columns, cells, numbers=(3,)))


def show_needs(found: RebuildNeeds, as_json: bool) -> None:
    """Show what a rebuild would do."""
    document = {
        "folds": list(found.folds),
        "events": found.events,
        "keys": found.keys,
        "bytes": found.size,
        "free": found.free,
        "problem": found.problem,
    }
    free = "no limit is set" if found.free is None else f"{found.free / 2**20:,.0f} MiB are free"
    finish(
        as_json,
        document,
        f"Would rebuild {', '.join(found.folds)} from {found.events:,} events: about {found.keys:,} keys, "
        f"{found.size / 2**20:,.1f} MiB of Redis's memory ({free}). Nothing was done.",
        *filter(None, [found.problem]),
    )


def finish(as_json: bool, document: dict[str, Any], *sentences: str) -> None:
    """Print the outcome of a command."""
    if as_json:
        print_json(document)
        return
    for sentence in sentences:
        say(sentence)
