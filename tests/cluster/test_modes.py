from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.harness import Cluster


@pytest.mark.parametrize("workers", [1, 3])
def test_a_cluster_makes_what_the_embedded_mode_makes(cluster: Cluster, expected: Any, workers: int) -> None:
    cluster.empty()
    cluster.start_workers(workers)
    cluster.until_done()
    assert cluster.digest() == expected
