"""What every method for baskets can do: fit what may be learned, then score all products for a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from models.evaluation.baselines.history import History
from models.evaluation.cases import Case
from models.evaluation.facts import Floats, Numbers
from models.evaluation.ranking import top

Parameters: TypeAlias = Mapping[str, Any]


class BasketMethod:
    """``growth``: online, it is fitted anew when the baskets to learn from have grown by this factor.

    ``filled``: whether popular products follow what it has scored.
    """

    growth = 1.1
    filled = True

    def fit(self, history: History) -> None:
        """Learn from the history alone."""

    def scores(self, case: Case, history: History, popularity: Numbers) -> Floats:
        """Return a score for each product, 0 for what is not proposed. The case's own earlier baskets may be used."""
        raise NotImplementedError

    def list_for(self, case: Case, history: History, popularity: Numbers, count: int) -> list[int]:
        """Return the best products that the cart does not hold already."""
        return top(self.scores(case, history, popularity), popularity, count, case.shown, self.filled)
