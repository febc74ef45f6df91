"""One chunk equals one by one, for every read model, over one event of each type and over random cuts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.cart_events import (
    CartOpened,
)
from aggregates.decider import Recorded
from aggregates.delta import Delta
from aggregates.member import MemberErased
from projections.activity import activity
from projections.campaigns import campaigns
from projections.card import card
from projections.cart import cart
from projections.orders import orders
from projections.product import product
from projections.projection import DocumentFold, Projection, Tally
from projections.sales import sales
from projections.wallet import wallet
from tests.projections.folding import Contents, folded, recorded, removed
from tests.samples import SAMPLES
from tests.selling_samples import AT

DOCUMENTS = [card, cart, orders, wallet, activity]
TALLIES = [campaigns, product, sales("America/New_York")]
CUTS = st.sets(st.integers(1, 100))


def events_of(fold: Projection) -> list[object]:
    """The samples that the fold reads, and a guest's cart, twice; then the member's erasure, and what may come after it."""
    samples = (CartOpened(cart="c-2", member=None, session="s-1", at=AT), *SAMPLES)
    read = [event for event in samples if type(event) in fold.events and not isinstance(event, MemberErased)]
    return [*read, *read, *([MemberErased("m-1", at=AT)] if MemberErased in fold.events else []), *read]


def chunks(records: list[Recorded], cuts: Iterable[int]) -> list[list[Recorded]]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(records)), len(records)]
    return [records[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("fold", DOCUMENTS, ids=lambda fold: str(fold.name))
@given(cuts=CUTS)
def test_documents_folded_in_any_chunks_are_the_same(fold: DocumentFold, cuts: set[int]) -> None:
    events = events_of(fold)
    stored: Contents = {}
    for chunk in chunks(recorded(events), cuts):
        needed = {key for key, to_read in fold.needs(chunk).items() if to_read}
        stored |= fold.fold({key: stored[key] for key in needed & stored.keys()}, chunk).documents
    assert stored == folded(fold, *events)
    assert stored


@pytest.mark.parametrize("fold", TALLIES, ids=lambda fold: str(fold.name))
@given(cuts=CUTS)
def test_tallies_folded_in_any_chunks_are_the_same(fold: Tally, cuts: set[int]) -> None:
    whole = fold.fold(recorded(events_of(fold)))
    summed = Delta()
    for chunk in chunks(recorded(events_of(fold)), cuts):
        part = fold.fold(chunk)
        for key, fields in part.fields.items():
            summed.fields[key].update(fields)
        for key, counts in part.counts.items():
            for name, by in counts.items():
                summed.count(key, name, by)
        for key, scores in part.scores.items():
            for name, by in scores.items():
                summed.score(key, name, by)
    assert summed == whole
    assert whole.counts or whole.scores


@pytest.mark.parametrize("fold", TALLIES, ids=lambda fold: str(fold.name))
def test_counts_and_scores_are_the_same_in_any_order(fold: Tally) -> None:
    records = recorded(events_of(fold))
    forwards, backwards = fold.fold(records), fold.fold(records[::-1])
    assert (forwards.counts, forwards.scores) == (backwards.counts, backwards.scores)


@pytest.mark.parametrize("fold", [cart, orders, wallet], ids=lambda fold: str(fold.name))
def test_the_erasure_of_a_member_unknown_to_a_view_writes_no_document(fold: DocumentFold) -> None:
    contents = folded(fold, MemberErased("m-1", at=1))
    assert removed(contents) == set(contents)


@pytest.mark.parametrize("fold", DOCUMENTS, ids=lambda fold: str(fold.name))
def test_a_document_says_the_position_it_reflects(fold: DocumentFold) -> None:
    events = events_of(fold)
    for length in range(1, len(events) + 1):
        *_, last = records = recorded(events[:length])
        before: Contents = {}
        fold.fold(before, records[:-1])
        changed: Contents = fold.fold(before, [last]).documents
        assert all(document is None or document.position == length for document in changed.values())


@pytest.mark.parametrize("fold", [*DOCUMENTS, *TALLIES], ids=lambda fold: str(fold.name))
def test_every_key_begins_with_a_part_that_the_fold_declares(fold: Projection) -> None:
    if isinstance(fold, DocumentFold):
        keys = set(folded(fold, *events_of(fold)))
    else:
        delta = fold.fold(recorded(events_of(fold)))
        keys = {*delta.fields, *delta.counts, *delta.scores}
    assert {key.partition(":")[0] for key in keys} == set(fold.parts)
