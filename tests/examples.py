"""How many examples a property is tried with: few while one develops, many in CI."""

from __future__ import annotations

import os

FEWEST = 5


def many(examples: int) -> int:
    """Return ``examples`` where ``CI`` is ``true``, else a tenth of them."""
    return examples if os.environ.get("CI") == "true" else max(FEWEST, examples // 10)
