"""What was offered to a member: the candidates of their list with what the ranker saw of each, kept until their next basket."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.recommender.features import FEATURES
from models.recommender.items import Items, Numbers

STORED = np.dtype("<f2")


@dataclass(slots=True)
class Offer:
    """``sources``: of each product, which source proposed it. ``rows``: a row of features each.

    Features are rounded to 16 bits, as they are stored: what is learned from is what was scored, also after a restart.
    ``numbers`` are the products' in :attr:`Items.columns`.
    """

    products: list[str]
    sources: list[str]
    rows: NDArray[np.float16]
    numbers: Numbers

    def of(self, source: str) -> list[str]:
        """What a source proposed, in its own order."""
        return [product for product, by in zip(self.products, self.sources, strict=True) if by == source]

    def to_text(self) -> str:
        rows = base64.b64encode(self.rows.tobytes()).decode()
        kinds = list(dict.fromkeys(self.sources))
        by = "".join(str(kinds.index(source)) for source in self.sources)
        return "\n".join((rows, by, json.dumps(kinds), json.dumps(self.products)))

    @classmethod
    def from_text(cls, text: str, items: Items) -> Offer:
        rows, by, kinds, products = text.split("\n")
        made = np.frombuffer(base64.b64decode(rows), STORED).reshape(-1, len(FEATURES))
        names, sources = json.loads(products), json.loads(kinds)
        return cls(names, [sources[int(digit)] for digit in by], made, items.numbers_of(names))
