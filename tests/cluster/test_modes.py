from __future__ import annotations

import pytest

from tests.cluster.conftest import Expected
from tests.cluster.harness import Cluster
from tests.conftest import JOURNEY


@pytest.mark.parametrize("workers", [1, 3])
def test_a_cluster_makes_what_the_embedded_mode_makes(cluster: Cluster, expected: Expected, workers: int) -> None:
    cluster.feed(JOURNEY)
    cluster.empty()
    cluster.start_workers(workers)
    cluster.until_done()
    assert cluster.digest() == expected(JOURNEY)
