"""The API beside a relay and workers: it starts no follower, and reads what the workers make."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aggregates.programme import Programme
from infra.embedded.kafka import free_ports
from models.recommender.lists import PLAIN
from streams.imports.complete_journey import SHOP
from streams.queries.recommending import recommended
from tests.cluster.harness import Cluster
from tests.streams.web.client import Client, Served


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Iterator[Client]:
    cluster.start_workers(1)
    cluster.until_done()
    server = Served(cluster.settings.home, free_ports()[0], cluster.environment)
    server.start()
    yield server.client()
    server.stop()


def test_a_fresh_list_beside_workers_is_that_of_the_console(cluster: Cluster, shop: Client) -> None:
    app, terms = cluster.app.refreshed(), Programme(SHOP.zone, SHOP.currency)
    members = sorted(key.decode().rpartition(":")[2] for key in app.views.client.scan_iter(match="v1:recommend:*"))
    for member in members[:5]:
        found = shop.get(f"/v1/members/{member}/recommendations?fresh=true").json
        expected = recommended(app.views, terms, member, PLAIN, found["scored_at"])
        assert expected is not None
        assert (found["items"], found["discover"]) == (list(expected["items"]), list(expected["discover"]))


def test_lists_of_all_keys_say_up_to_where_every_partition_is_folded(cluster: Cluster, shop: Client) -> None:
    head = cluster.app.log.head()
    for path in ("/v1/products?name=a", "/v1/sales?limit=1", "/v1/orders?limit=1", "/v1/quality?limit=1"):
        answer = shop.get(f"{path}&wait_for={head}&wait_ms=5000")
        assert answer.status == 200, answer.raw
        assert answer.json["position"] == head
    assert not (cluster.settings.home / "logs" / "follow.log").exists()
