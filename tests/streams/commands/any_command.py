"""Commands as nobody should send them: most fields as they might be, one or two of them anything at all."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan
from types import MappingProxyType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from hypothesis import strategies as st

from aggregates.decider import LATEST_INSTANT
from aggregates.member import CloseMember, EraseMember
from aggregates.programme import Policies
from aggregates.value import Value
from tests.shop import HOUR, MEMBERS, PRODUCTS, START

DAY = 24 * HOUR


def nested(depth: int) -> tuple[Any, ...]:
    value: tuple[Any, ...] = ()
    for _ in range(depth):
        value = (value,)
    return value


ANYTHING: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, -0.0, nan, inf, 2**53, -(2**63), 2**64, 10**1000, LATEST_INSTANT - 1, LATEST_INSTANT, "0", "1.0"),
    *("", " ", "\0", "a\a", "\ud800", "x" * 201, "x" * 10_000, "🂡" * 200, "%-" * 100, "null", b"x", "’; DROP TABLE events"),
    *((), [], {}, [1], {"a": {}}, {1: 2}, {"\ud800": "\0"}, (None,), ("m-1", 1), (((1,), ("2",)),), nested(60), object(), int),
    *(np.str_("m-1"), np.float64(1.5), np.int64(1), MappingProxyType({"a": "b"})),
)
"""What a field may hold that it was never meant to."""

NAMES = ("1", "2", "3", "o-1+x", "nowhere")
KNOWN: dict[str, tuple[str, ...]] = {
    "member": (*MEMBERS[2:5], "pool"),
    "product": tuple(PRODUCTS[:4]),
    "order": ("0", "1", "2", "3", "4", "5", "nowhere"),
    "card": ("g-1", "g-2", "nowhere"),
    "cart": ("0", "1", "2", "3", "mine"),
    "campaign": ("c-1", "c-2", "nowhere"),
    "session": ("s-1", "s-2"),
    "wallet": ("points", "stars", "nowhere"),
    "reward": ("mug", "tenner", "nowhere"),
    "action": ("share", "check_in", "review", "nowhere"),
    "tier": ("member", "silver", "gold", "nowhere"),
    "currency": ("USD",) * 5 + ("EUR",),
    "kind": ("pin", "floor", "TypeA"),
    "email": ("ada@example.org", "eve@example.org", "nobody"),
    "birthday": ("1990-12-31", "2024-02-29", "2023-02-29"),
    "direction": ("out", "in"),
}
PARTING = (CloseMember, EraseMember)
PARTED = (*MEMBERS[5:], "nobody")
"""Members who may be gone: hardly anything happens to those any more."""

ALSO_MEMBERS = ("to", "other", "joiner", "leaver", "joined")
TEXT = st.sampled_from(("", "why", "two\nlines", "Zoë", "x" * 600))
COUNTS = st.sampled_from((0, 1, 2, 3, 7, 100, 1000, 10**12, 10**12 + 1, -1, -100))
INSTANTS = st.builds(lambda days, hours: START + days * DAY + hours * HOUR, st.integers(0, 700), st.integers(0, 23))
POLICY: dict[str, Any] = {
    "wallets": [
        {"name": "points", "activates": "at_payment", "validity": "6 months", "reinstate_days": "90",
         "transfers": {"allowed": "yes", "daily_cap": "500"}, "pools": {"allowed": "yes"}},
        {"name": "stars", "activates": "on_action", "validity": "end of year"},
    ],
    "earning": {
        "spend": [{"id": "purchase"}, {"id": "stars", "wallet": "stars", "rate": "1/10", "only": {"products": ["p-1"]}}],
        "events": [
            {"id": "shared", "event": "share", "points": "3", "limit": "2", "per": "day"},
            {"id": "reviewed", "event": "review", "points": "9", "by_tier": "yes"},
        ],
        "streaks": [{"id": "visits", "event": "check_in", "points": ["1", "2", "5"]}],
        "missions": [{"id": "twice", "steps": [{"event": "share"}, {"event": "purchase", "minimum": "5"}], "points": "50"}],
    },
    "qualifying": {"grace_days": "30", "provisional": "yes"},
    "rewards": [
        {"id": "mug", "gives": "product", "item": "mug", "price": "7", "stock": "3"},
        {"id": "tenner", "gives": "coupon", "item": "c-1", "price": "10", "per_member": "2"},
    ],
}  # fmt: skip

DOCUMENTS: tuple[Any, ...] = (
    *(POLICY, POLICY | {"return_days": "9"}, POLICY | {"return_days": "7"}),
    {"return_days": "0"},
    {"tiers": [{"name": "gold", "threshold": "500", "keep": "100"}]},
    {"wallets": [{"name": "points", "validity": "30 days"}, {"name": "stars"}]},
    {"wallets": []},
    {"teirs": []},
)
MOMENTS = ("at", "starts", "ends", "until", "effective")


def command(kind: type, spoil: bool = True) -> st.SearchStrategy[Any]:
    """One of a kind. ``spoil``: half of them in a field or two."""
    hints = {name: hint for name, hint in get_type_hints(kind).items() if hint is not Policies}
    fitting = {name: fit(name, hint) for name, hint in hints.items()}
    if kind in PARTING:
        fitting["member"] = st.sampled_from(PARTED)
    anything = st.dictionaries(st.sampled_from(sorted(hints)), st.sampled_from(ANYTHING), min_size=1, max_size=2)
    spoilt: st.SearchStrategy[dict[str, Any]] = st.just({}) | anything if spoil else st.just({})
    more = {"policies": st.just(Policies())} if len(hints) < len(get_type_hints(kind)) else {}
    return st.builds(lambda told, wrong: kind(**(told | wrong)), st.fixed_dictionaries(fitting | more), spoilt)


def fit(name: str, hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field as it is declared, though not all of them make sense."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return st.none() | fit(name, args[0]) | fit(name, args[0])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(fit(name, args[0]), max_size=3).map(tuple)
    if origin is Mapping and args[1] is Any:
        return st.sampled_from(DOCUMENTS)
    if origin is Mapping:
        return st.dictionaries(st.sampled_from(NAMES), fit(name, args[1]), max_size=2)
    if isinstance(hint, type) and issubclass(hint, Value):
        made: Any = hint
        return st.builds(made, **{part: fit(part, inner) for part, inner in get_type_hints(hint).items()})
    if hint is str:
        return text(name)
    if hint is int:
        return INSTANTS if name in MOMENTS else st.integers(-20, 60) if name == "half_stars" else COUNTS
    return st.booleans() if hint is bool else st.floats(-1, 2)


def text(name: str) -> st.SearchStrategy[str]:
    singular = "member" if name in ALSO_MEMBERS else name.removesuffix("s")
    if known := KNOWN.get(name) or KNOWN.get(singular):
        return st.sampled_from(known)
    return TEXT if name in ("reason", "text", "description", "query", "name") else st.sampled_from(NAMES)
