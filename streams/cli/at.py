"""``--at POSITION|TIME`` and ``--with-late``: what they mean, and how a command says which past it shows."""

from __future__ import annotations

from dataclasses import replace

import click

from aggregates.programme import Programme
from infra.event_log.log import EventLog
from streams.cli.console import CommandFailed, say
from streams.cli.formatting import format_instant, read_instant
from streams.replay.past.places import Place, place_at, place_of, position_in

AT = click.option(
    "--at",
    "wanted_at",
    metavar="POSITION|TIME",
    help="As of so many events of the log, as in '#120', or of an instant: ISO 8601, without an offset the shop's own time.",
)
WITH_LATE = click.option(
    "--with-late", is_flag=True, help="With a TIME: take in facts dated until then that were recorded later."
)


def read_place(log: EventLog, terms: Programme, text: str, with_late: bool = False, option: str = "--at") -> Place:
    """Return the place in the log that an option names.

    Raises :class:`CommandFailed` if the log has nothing there, :class:`click.BadParameter` for what is neither a position nor
    an instant, :class:`click.UsageError` if ``with_late`` does not go with it.
    """
    head = log.head()
    if not head:
        raise CommandFailed("The log is empty: import something first.")
    if (number := position_in(text)) is not None:
        if with_late:
            raise click.UsageError(f"--with-late goes with a TIME: {option} {text} is a position.")
        if not 0 < number <= head:
            raise CommandFailed(f"The log has the positions 1 to {head:,}, and no {number:,}.")
        return place_at(log, number)
    place = place_of(log, read_instant(text, terms.zone, option))
    if with_late:
        return replace(place, axis="dated")
    if not place.position:
        raise CommandFailed(f"Nothing had happened by {text}.")
    return place


def is_time(text: str) -> bool:
    """Return whether the text of an option names an instant, not a position."""
    return position_in(text) is None


def describe_place(place: Place, terms: Programme) -> str:
    """Return in a sentence which past it is, by which axis, and what it leaves out.

    >>> describe_place(Place(7, 0), Programme())
    'As recorded up to position 7, at 1970-01-01 00:00.'
    >>> describe_place(Place(7, 0, late=2), Programme())
    'As recorded up to position 7, at 1970-01-01 00:00; 2 facts dated earlier were recorded later and are left out.'
    """
    at = format_instant(place.instant, terms)
    if place.axis == "dated":
        return f"As dated until {at}: position {place.position:,}, and {facts(place.late)} recorded later."
    told = [f"As recorded up to position {place.position:,}, at {at}"]
    if place.late:
        told.append(f"{facts(place.late)} dated earlier {'was' if place.late == 1 else 'were'} recorded later and "
                    f"{'is' if place.late == 1 else 'are'} left out")  # fmt: skip
    if not place.final:
        told.append("not final, since the shop's clock has not passed it")
    if place.cuts is not None:
        told.append(f"it cuts the request {place.cuts}, whose other events come later")
    return "; ".join(told) + "."


def facts(count: int) -> str:
    return f"{count:,} fact{'' if count == 1 else 's'}"


def say_place(place: Place, terms: Programme) -> None:
    """Print :func:`describe_place` on standard error."""
    say(describe_place(place, terms))
