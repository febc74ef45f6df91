from __future__ import annotations

import pytest

from tests.cluster.acts import QUICK, hurt
from tests.cluster.conftest import Expected
from tests.cluster.harness import Cluster


@pytest.mark.parametrize("act", QUICK)
def test_what_is_hurt_in_mid_stream_ends_as_if_nothing_had_happened(cluster: Cluster, expected: Expected, act: str) -> None:
    hurt(cluster, act)
    assert cluster.digest() == expected(cluster.weeks)
