from __future__ import annotations

import pytest

from tests.cluster.conftest import FIRST, Expected
from tests.cluster.harness import Cluster
from tests.conftest import JOURNEY


def test_one_worker_makes_of_a_week_what_the_embedded_mode_makes(cluster: Cluster, expected: Expected) -> None:
    cluster.start_workers(1)
    cluster.until_done()
    assert cluster.digest() == expected(FIRST)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_cluster_makes_what_the_embedded_mode_makes(cluster: Cluster, expected: Expected, workers: int) -> None:
    cluster.feed(JOURNEY)
    cluster.empty()
    cluster.start_workers(workers)
    cluster.until_done()
    assert cluster.digest() == expected(JOURNEY)
