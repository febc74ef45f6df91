"""Eight weeks on a local cluster, by one worker and by three: what the embedded mode makes of them. `make verify`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.harness import Cluster, Embedded

pytestmark = pytest.mark.slow

WEEKS = 8


@pytest.mark.usefixtures("kafka_jars")
def test_one_worker_and_three_make_what_the_embedded_mode_makes(tmp_path: Path) -> None:
    expected = Embedded(tmp_path / "embedded").digest(WEEKS)
    cluster = Cluster(tmp_path / "home")
    try:
        cluster.feed(WEEKS)
        for workers in (1, 3):
            cluster.empty()
            cluster.start_workers(workers)
            cluster.until_done()
            assert cluster.digest() == expected
    finally:
        cluster.close()
