"""Taking a topic's records, and what should come of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from aggregates.decider import Recorded
from aggregates.value import replace
from infra.redis.views import Views
from projections.projection import Documents, Tally
from streams.kafka.worker.partition import Partition
from streams.projecting.dispatch import Dispatch
from streams.projecting.loaders import loader_of
from streams.registry import BEHAVED, DOMAIN, LEARNING, folds, sources
from tests.shop import TERMS
from tests.streams.shelved import Lying


def dispatch(views: Views, topic: str, history: Sequence[Recorded]) -> None:
    every = folds(TERMS)
    feeds = [loader_of(fold, TERMS.zone, views, sources(fold)[topic]) for fold in every if topic in sources(fold)]
    Dispatch(views, feeds).dispatch(history)


def take_all(partition: Partition, lying: Sequence[Lying], size: int = 200) -> None:
    for at in range(0, len(lying), size):
        partition.take(lying[at : at + size])


every_topic = pytest.mark.parametrize("name", [DOMAIN, BEHAVED, LEARNING])


def refusing(fold: Documents | Tally, *positions: int) -> Documents | Tally:
    """A fold that fails over some events; a tally does not see positions, so it fails over their kind's payload."""
    if isinstance(fold, Documents):
        genuine = fold.project

        def project(documents: Any, event: Any, position: int) -> Any:
            if position in positions:
                raise ZeroDivisionError("a fault of the fold")
            return genuine(documents, event, position)

        return replace(fold, project=project)
    counted = fold.project

    def add(delta: Any, event: Any) -> None:
        if event.at in positions:
            raise ZeroDivisionError("a fault of the fold")
        counted(delta, event)

    return replace(fold, project=add)
