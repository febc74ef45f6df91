"""Single values of a line: ids, text, quantities, ratings and lists of them. Each reader raises :class:`Rejected`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aggregates.decider import LARGEST_COUNT, LONGEST_ID, is_id
from streams.imports.shop_log.figures import Number, is_number, number_text, whole_number
from streams.imports.shop_log.rejected import Rejected

MOST_PIECES = 10**9

HALF_STARS: dict[Number, int] = {halves / 2: halves for halves in range(2, 11)}


def identifier(value: Any) -> str:
    """Text as it was written; an integer of 0 or more as its digits."""
    if type(value) is int and value >= 0:
        value = str(value)
    if type(value) is str and is_id(value):
        return value
    raise Rejected("id_invalid", f"An id is text of 1 to {LONGEST_ID} characters, none of them for control, or an integer.")


def text(value: Any) -> str:
    if type(value) is str:
        return value
    raise Rejected("text_invalid", "It must be text.")


def texts(value: Any) -> tuple[str, ...]:
    return each(value, text)


def identifiers(value: Any) -> tuple[str, ...]:
    return each(value, identifier)


def some_identifiers(value: Any) -> tuple[str, ...]:
    return some(each(value, identifier))


def some(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if not entries:
        raise Rejected("list_empty", "The list is empty: leave it out, or the line if it needs the list.")
    return entries


def each(value: Any, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The entries of a list; a fault is told with the entry's number, from 1."""
    if type(value) is not list:
        raise Rejected("list_invalid", "It must be a list.")
    try:
        return tuple(map(read, value))
    except Rejected:
        for number, entry in enumerate(value, 1):
            try:
                read(entry)
            except Rejected as rejected:
                raise rejected.within(f"entry {number}") from None
        raise


def category(value: Any) -> tuple[str, ...]:
    """The path, widest first; text is a path of one."""
    if type(value) is str:
        return (value,) if value else ()
    path = texts(value)
    if not all(path):
        raise Rejected("text_invalid", "No step of a category's path is empty.")
    return path


def tags(value: Any) -> str:
    """Tags side by side, with commas between them."""
    if type(value) is str:
        return value
    told = texts(value)
    if not all(told) or any("," in tag for tag in told):
        raise Rejected("tag_invalid", "A tag is not empty and has no comma, which stands between tags.")
    return ",".join(told)


def profile_value(value: Any) -> str:
    """Text as it is; true, false and numbers as JSON writes them."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if is_number(value):
        return number_text(value)
    raise Rejected("profile_invalid", "A profile field is text, a number, true or false: flatten lists and objects.")


def mapping(value: Any) -> dict[str, Any]:
    if type(value) is dict:
        return value
    raise Rejected("object_invalid", "It must be an object, in braces.")


def profile(value: Any) -> dict[str, str]:
    """Profile fields by name; what is no object is the field of that name."""
    if type(value) is not dict:
        return {"profile": profile_value(value)}
    return {name: profile_value(inner) for name, inner in value.items() if inner is not None}


def attributes(value: Any) -> dict[str, str]:
    return {name: text(inner) for name, inner in mapping(value).items()}


def quantity(value: Any) -> int:
    """Pieces; 0 is an adjustment, money without goods."""
    return whole_number(value, 0, MOST_PIECES, "quantity_invalid")


def pieces(value: Any) -> int:
    return whole_number(value, 1, MOST_PIECES, "quantity_invalid")


def count(value: Any) -> int:
    return whole_number(value, 0, LARGEST_COUNT, "count_invalid")


def place(value: Any) -> int:
    """A line of an order, from 1."""
    return whole_number(value, 1, LARGEST_COUNT, "count_invalid")


def half_stars(value: Any) -> int:
    """2 to 10 for a rating of 1 to 5."""
    halves = HALF_STARS.get(value) if is_number(value) else None
    if halves is None:
        raise Rejected("rating_invalid", "A rating is a number from 1 to 5 in steps of a half.")
    return halves


def real(value: Any) -> float:
    if not is_number(value):
        raise Rejected("number_invalid", "It must be a number.")
    return float(value) + 0.0  # one zero, without a sign


def reals(value: Any) -> tuple[float, ...]:
    return some(each(value, real))


def propensity(value: Any) -> float:
    chance = real(value)
    if not 0 < chance <= 1:
        raise Rejected("propensity_invalid", "A propensity is above 0 and at most 1.")
    return chance


def propensities(value: Any) -> tuple[float, ...]:
    return each(value, propensity)
