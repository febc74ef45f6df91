"""``regulars verify``: the read models beside what the log says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import click

from infra.settings import from_environment
from models.learner import Learner
from streams.cli.console import AS_JSON, grid, print_json, say, show_parts
from streams.cli.progress import progress
from streams.cli.view import brief
from streams.projecting.loaders import Fold
from streams.registry import folds
from streams.replay.past.verify import KeyDifference, Verification, Verifier
from streams.running.app import App, running

WHOLE = "(whole key)"


@click.command()
@click.argument("names", metavar="[FOLD]...", nargs=-1)
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="Compare N keys, chosen by their hash, in all folds together."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another number chooses another sample.")
@click.option("--repair", is_flag=True, help="Write the right content of each key that differs.")
@AS_JSON
def verify(names: tuple[str, ...], sample: int | None, seed: int, repair: bool, as_json: bool) -> None:
    """Compare what Redis holds with what the log says, for all folds or some. Exit status 1 if anything differs.

    The log is folded in memory to where each fold stands; followers and workers may go on. A sample finds damaged and extra
    keys; all keys together also show what is lost. The learner is compared as a whole only, and mended by a rebuild.
    """
    with running(from_environment()) as app:
        every = {fold.name: fold for fold in folds(app.terms)}
        if unknown := [name for name in names if name not in every]:
            raise click.BadParameter(f"there is no fold {unknown[0]}; known are {', '.join(every)}.", param_hint="FOLD")
        some = [every[name] for name in names or every]
        found = verified(app, some, Verifier(app, sample, seed, repair))
        show(app, found, as_json)
    raise SystemExit(1 if found.differences else 0)


def verified(app: App, some: Sequence[Fold], verifier: Verifier) -> Verification:
    """Return what comparing these folds finds. The log is read twice if the learner is among them: a bar for each time."""
    found = Verification()
    parts: dict[str, list[Fold]] = {
        "folding the log": [fold for fold in some if fold is not Learner],
        "folding the log, for the learner": [fold for fold in some if fold is Learner],
    }
    with progress(transient=True) as bars:
        for label, part in parts.items():
            if not part:
                continue
            task = bars.add(label, app.log.head())
            done = replace(verifier, progress=partial(bars.update, task)).run(part)
            found.compared.update(done.compared)
            found.differences.extend(done.differences)
            found.skipped.update(done.skipped)
    return found


def show(app: App, found: Verification, as_json: bool) -> None:
    """Print what was compared and what differs."""
    if as_json:
        differences: list[dict[str, Any]] = [one._asdict() for one in found.differences]
        print_json({"compared": found.compared, "differences": differences, "skipped": found.skipped})
        return
    rows = [difference_row(app, one) for one in found.differences]
    if rows:
        columns = ("fold", "key", "field", "in Redis", "by the log", "repaired")
        show_parts(grid("Differences", columns, rows, wraps=(3, 4)))
    for fold, why in found.skipped.items():
        say(f"{fold} was not compared: {why}.")
    if any(one.fold.partition(".")[0] == Learner.name and not one.repaired for one in found.differences):
        say("What the learner holds depends on all events before it: `regulars replay learner` mends it.")
    keys = len({(one.fold, one.key) for one in found.differences})
    say(f"{sum(found.compared.values()):,} keys compared, {keys:,} differ.")


def difference_row(app: App, one: KeyDifference) -> tuple[str, ...]:
    values = brief(one.in_redis), brief(one.by_the_log)
    return one.fold, app.views.key(one.key), one.field or WHOLE, *values, "yes" if one.repaired else "no"
