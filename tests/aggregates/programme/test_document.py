"""Policy documents: whatever terms there are, a document states them; whatever it says, it reads as terms or as problems."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.programme import Programme, Rate, Selection, SpendRule, Validity
from aggregates.programme.document import changes, expected, plain, read
from aggregates.programme.problems import problems
from tests.examples import many

NAMES = st.text("abcdefgé 1%:'\"", min_size=1, max_size=8)
RATES = st.fractions(0, 999, max_denominator=99).map(lambda rate: rate.as_integer_ratio())
VALIDITIES = st.one_of(
    st.just(Validity()),
    st.builds(Validity, st.sampled_from(["days", "months", "end_of_month", "end_of_year"]), st.integers(0, 999)),
)


@cache
def made(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that terms have."""
    origin, args = get_origin(hint), get_args(hint)
    if hint == Rate:
        return RATES
    if origin is UnionType:
        return st.none() | made(args[0])
    if origin is tuple:
        return st.lists(made(args[0]), max_size=1).map(tuple)
    if origin is Literal:
        return st.sampled_from(args)
    if hint is Validity:
        return VALIDITIES
    if is_dataclass(hint):
        kind: Any = hint
        needed = {spec.name for spec in fields(kind) if spec.default is MISSING}
        values = {name: made(inner) for name, inner in expected(kind).items()}
        optional = {name: values.pop(name) for name in [*values] if name not in needed}
        return st.fixed_dictionaries(values, optional=optional).map(lambda told: kind(**told))
    return {str: NAMES, bool: st.booleans(), int: st.integers(-(10**12), 10**12)}[hint]


ANY_TERMS = made(Programme)
ANY_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["points", "1.5", "never"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*expected(Programme), "id", "name", "rate", "x"]) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANY_TERMS)
@settings(max_examples=many(30))
def test_a_document_reads_back_as_its_terms_also_through_json(terms: Programme) -> None:
    assert read(orjson.loads(orjson.dumps(plain(terms)))) == (terms, [])


@given(ANY_TERMS)
@settings(max_examples=many(30))
def test_any_terms_give_problems_with_paths_and_no_exception(terms: Programme) -> None:
    document = plain(terms)
    for path, reason in problems(terms):
        assert reason
        at: Any = document
        for step in path:
            at = at[step]


@given(ANY_PLAIN)
def test_any_document_gives_terms_and_a_reason_for_each_problem(document: Any) -> None:
    terms, found = read(document)
    assert isinstance(terms, Programme)
    if not found:
        assert read(plain(terms)) == (terms, [])


@given(ANY_TERMS, ANY_TERMS)
@settings(max_examples=many(30))
def test_documents_differ_where_their_terms_do(one: Programme, other: Programme) -> None:
    assert not list(changes(plain(one), plain(one)))
    assert bool(list(changes(plain(one), plain(other)))) == (one != other)


def test_an_empty_document_is_the_default_programme() -> None:
    assert read({}, "Europe/Paris", "EUR") == (Programme("Europe/Paris", "EUR"), [])


def test_every_term_is_in_a_document_but_those_of_the_log() -> None:
    assert set(plain(Programme())) == {spec.name for spec in fields(Programme)} - {"zone", "currency", "version", "digits"}


@pytest.mark.parametrize(
    ("document", "path", "reason"),
    [
        ({"zone": "UTC"}, ("zone",), "'zone' is not said here: it belongs to the log"),
        ({"tiers": {}}, ("tiers",), "expected a list, not fields"),
        ({"tiers": [{"name": "vip"}]}, ("tiers", 0), "'threshold' is missing"),
        ({"wallets": ["points"]}, ("wallets", 0), "expected fields (name, activates, "),
        ({"wallets": [{"validity": "soon"}]}, ("wallets", 0, "validity"), "expected never, 90 days, 6 months, "),
        ({"earning": {"spend": [{"rate": 1.5}]}}, ("earning", "spend", 0, "rate"), "expected a rate such as 2, 1.5, 3/2"),
        ({"earning": {"spend": [{"by_tier": 1}]}}, ("earning", "spend", 0, "by_tier"), "expected true or false, not 1"),
        ({"qualifying": {"window": "weekly"}}, ("qualifying", "window"), "expected one of rolling, calendar, anniversary"),
        ({"return_days": True}, ("return_days",), "expected a whole number, not True"),
        ({"return_days": "9" * 99}, ("return_days",), "expected a whole number, not '999"),
        ({"return_days": None}, ("return_days",), "expected a whole number, not nothing"),
        ({"tiers": [{"name": "a\u0007", "threshold": 1, "keep": 1}]}, ("tiers", 0, "name"), "expected a text of 1 to 200"),
    ],
)
def test_a_value_that_does_not_fit_has_a_path_and_reason(document: Any, path: tuple[str | int, ...], reason: str) -> None:
    found = read(document)[1]
    assert any(problem.path == path and problem.reason.startswith(reason) for problem in found), found


def test_a_list_of_one_name_may_be_plain_text() -> None:
    terms, found = read({"earning": {"spend": [{"only": {"categories": "TEA"}}]}})
    assert not found
    assert terms.earning.spend == (SpendRule(only=Selection(categories=("TEA",))),)


def test_a_changed_order_of_wallets_is_a_change() -> None:
    one, other = ({"wallets": [{"name": name} for name in names]} for names in (("a", "b"), ("b", "a")))
    assert list(changes(one, other)) == [(("wallets",), ["a", "b"], ["b", "a"])]
