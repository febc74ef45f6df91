"""The building blocks of every aggregate: Decider, its Context, and Refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from aggregates.programme.terms import Policies


C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")

LARGEST_COUNT = 10**12
"""The largest amount, quantity or number of points, so that every sum stays exact in Redis and in readers of JSON."""

LATEST_INSTANT = 221_845_392_000_000
"""The year 9000. Every instant is before it, so that calendars can count on from any."""


SECONDS = range(10**9, 10**11)
"""Numbers that are seconds of the years 2001 to 5138. As milliseconds they would be of January 1970 to March 1973."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A command that may not happen: a stable ``code`` for programs, a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Context:
    """What every decision may use besides its command and its state: the programme, in all its versions."""

    policies: Policies

    @property
    def zone(self) -> str:
        """The shop's time zone."""
        return self.policies.newest.zone

    @property
    def currency(self) -> str:
        """The one currency that the shop sells in."""
        return self.policies.newest.currency


@dataclass(frozen=True)
class Decider(Generic[C, S, E]):
    """One aggregate: its first state, what it decides, and how its events change the state.

    ``replay`` may fold many events faster than one by one, to the same state. ``due`` returns the instant from which time alone
    changes something, None for never; once that is recorded it returns a later instant, or None.

    >>> counter = Decider("counter", 0, lambda by, *_: [by] if by else [], lambda total, by: total + by)
    >>> counter.rebuild([1, 2])
    3
    """

    name: str
    initial: S
    decide: Callable[[C, S, Context], list[E]]
    evolve: Callable[[S, E], S]
    replay: Callable[[Iterable[E]], S] | None = None
    due: Callable[[S, Context], int | None] | None = None

    def rebuild(self, events: Iterable[E]) -> S:
        if self.replay:
            return self.replay(events)
        return reduce(self.evolve, events, self.initial)


def stream_id(aggregate: str, *ids: str) -> str:
    """Return the stream of one aggregate. A dash inside any id but the last is escaped, so no two streams share a name.

    >>> stream_id("order", "a-1"), stream_id("coupon", "spring-sale", "m-7"), stream_id("codes")
    ('order-a-1', 'coupon-spring%2Dsale-m-7', 'codes')
    """
    if not ids:
        return aggregate
    if len(ids) == 1:
        return f"{aggregate}-{ids[0]}"
    *first, last = ids
    return "-".join((aggregate, *(part.replace("%", "%25").replace("-", "%2D") for part in first), last))


def stream_ids(aggregate: str, stream: str) -> list[str]:
    """Return the ids that name a stream, as :func:`stream_id` took them; at most two.

    >>> stream_ids("order", "order-a-1"), stream_ids("coupon", "coupon-spring%2Dsale-m-7")
    (['a-1'], ['spring-sale', 'm-7'])
    """
    named = stream.removeprefix(f"{aggregate}-")
    if aggregate not in OF_TWO_IDS:
        return [named]
    first, _, last = named.partition("-")
    return [first.replace("%2D", "-").replace("%25", "%"), last]


OF_TWO_IDS = ("coupon", "guest_coupon")
"""Aggregates whose streams are named by two ids, among those that time changes."""

LONGEST_ID = 200

UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of a surrogate pair, which are not text."""


def is_id(value: str) -> bool:
    """Return whether a text is 1 to 200 characters, none of them a control character.

    >>> is_id("a b"), is_id(""), is_id(chr(7))
    (True, False, False)
    """
    return 0 < len(value) <= LONGEST_ID and (value.isprintable() or not UNFIT.search(value))


def require_id(what: str, value: str) -> None:
    """Refuse an id that is not 1 to 200 characters without control characters."""
    if not isinstance(value, str) or not is_id(value):
        raise Refusal(f"{what}_id_invalid", f"The {what}'s id is 1 to 200 characters without control characters.")


LONGEST_NAME = 500
LONGEST_TEXT = 20_000


def require_text(what: str, value: str | None, most: int = LONGEST_NAME) -> None:
    """Refuse a text of more than ``most`` characters; None is no text."""
    if value is not None and (not isinstance(value, str) or len(value) > most):
        raise Refusal("text_too_long", f"The {what} is text of at most {most} characters.")


def require_count(what: str, value: int, least: int = 0) -> None:
    """Refuse what is not an integer from ``least`` to :data:`LARGEST_COUNT`."""
    if type(value) is not int or not least <= value <= LARGEST_COUNT:
        raise Refusal(f"{what}_invalid", f"The {what} must be a whole number from {least} to {LARGEST_COUNT}.")


def is_instant(value: int) -> bool:
    """Return whether a number is UTC epoch milliseconds from 1970 on, before :data:`LATEST_INSTANT`."""
    return type(value) is int and 0 <= value < LATEST_INSTANT and value not in SECONDS


def require_instant(what: str, value: int) -> None:
    """Refuse a number that is no instant."""
    if type(value) is int and value in SECONDS:
        raise Refusal(f"{what}_invalid", f"{what} is in UTC epoch milliseconds: got {value}, which looks like seconds.")
    if not is_instant(value):
        raise Refusal(f"{what}_invalid", f"The {what} is an instant: UTC epoch milliseconds, from 1970 on.")


def require_shopper(member: str | None, session: str | None) -> None:
    """Refuse an act without a shopper: name a member, a session, or both."""
    if member is None and session is None:
        raise Refusal("shopper_missing", "Name the member, the session, or both.")
    for what, name in (("member", member), ("session", session)):
        if name is not None:
            require_id(what, name)


class Look(Protocol):
    """Returns the state of an aggregate, by the ids that name its stream."""

    def __call__(self, decider: Decider[Any, S, Any], /, *ids: str) -> S: ...


def nothing_known(decider: Decider[Any, S, Any], /, *_: str) -> S:
    """Return the first state of an aggregate: a :class:`Look` where nothing has happened yet."""
    return decider.initial


class Recorded(NamedTuple):
    """An event and its place in the log: positions count up from 1 over all streams."""

    position: int
    event: object
