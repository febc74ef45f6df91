"""Questions over HTTP: current, cacheable, in pages, and clear about what is wrong."""

from __future__ import annotations

import pytest

from tests.streams.web.client import Client, Served


@pytest.fixture(scope="module")
def shop(served: Served) -> Client:
    """A client of a shop with one member, five products and three paid orders."""
    client = served.client()
    commands: list[dict[str, object]] = [{"command": "RegisterMember", "member": "ada"}]
    commands += [{"command": "ListProduct", "product": f"tea-{n}", "name": f"Tea {n}", "price": 100 * n} for n in range(5)]
    for number in range(3):
        line = {"product": f"tea-{number}", "quantity": 1, "gross": 5000, "total": 5000, "paid": 5000}
        commands.append({"command": "PlaceOrder", "order": f"o-{number}", "member": "ada", "currency": "EUR", "lines": [line]})
        commands.append({"command": "PayOrder", "order": f"o-{number}"})
    done = client.post("/v1/requests", {"commands": commands})
    assert done.status == 200, done.raw
    for path in ("/v1/members/ada/card", "/v1/members/ada/orders", "/v1/products/tea-1", "/v1/popular"):
        assert client.get(f"{path}?wait_for={done.json['position']}&wait_ms=10000").status == 200
    return client


def test_an_unchanged_answer_is_304(shop: Client) -> None:
    first = shop.get("/v1/members/ada/card")
    again = shop.get("/v1/members/ada/card", If_None_Match=f'"x", W/{first.headers["etag"]}')
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_pages_follow_one_another_without_overlap(shop: Client) -> None:
    seen: list[str] = []
    path = "/v1/members/ada/orders?limit=2"
    while path:
        page = shop.get(path).json
        seen += [order["order"] for order in page["orders"]]
        path = f"/v1/members/ada/orders?limit=2&cursor={page['next']}" if page["next"] else ""
    assert seen == ["o-2", "o-1", "o-0"]


def test_a_cursor_serves_its_own_query_alone(shop: Client) -> None:
    cursor = shop.get("/v1/products?name=tea&limit=2").json["next"]
    assert [one["name"] for one in shop.get(f"/v1/products?name=tea&limit=2&cursor={cursor}").json["products"]] == [
        "Tea 2",
        "Tea 3",
    ]
    assert shop.get(f"/v1/products?name=te&limit=2&cursor={cursor}").json["code"] == "cursor_invalid"


@pytest.mark.parametrize(
    "path",
    ["/v1/popular?wait_for=x", "/v1/popular?colour=red", "/v1/products", "/v1/sales?from=may", "/v1/products?name=a&limit=0"],
)
def test_a_wrong_query_is_400(shop: Client, path: str) -> None:
    assert (shop.get(path).status, shop.get(path).json["code"]) == (400, "query_invalid")


def test_a_position_beyond_the_log_is_422(shop: Client) -> None:
    assert shop.get("/v1/popular?wait_for=999999999").json["code"] == "position_unknown"


def test_why_tells_every_event_that_moved_the_points(shop: Client) -> None:
    why = shop.get("/v1/members/ada/points/why").json
    assert [step["event"] for step in why["steps"] if step["event"]] == ["PointsGranted"] * 3
    assert shop.get("/v1/liability").json["wallets"]["points"]["pending"] == 150
    assert shop.get("/v1/audit").json["differences"] == []


def test_trace_finds_an_event_a_request_and_an_id(shop: Client) -> None:
    assert shop.get("/v1/trace/%231").json["events"][0]["position"] == 1
    assert [row["event"] for row in shop.get("/v1/trace/o-1").json["streams"]["order"]] == ["OrderPlaced.2", "OrderPaid"]
    assert shop.get("/v1/trace/nothing").status == 404


def test_a_composed_list_keeps_the_filter_and_what_is_excluded(shop: Client) -> None:
    wanted = {"count": 3, "exclude": ["tea-0"], "filter": {"price_to": 100}, "explain": True}
    items = shop.post("/v1/recommendations", wanted).json["items"]
    assert [item["product"] for item in items] == ["tea-1"]


def test_a_list_says_until_when_it_holds(shop: Client) -> None:
    stored = shop.get("/v1/members/ada/recommendations").json
    composed = shop.post("/v1/recommendations", {"member": "ada"}).json
    assert stored["as_of"] < stored["for_time"] <= stored["until"] == composed["until"]
    assert shop.post("/v1/recommendations", {"session": "somebody-new"}).json["until"] is None


def test_the_document_and_the_page_need_no_key(served: Served) -> None:
    nobody = served.anonymous()
    assert nobody.get("/openapi.json").json["openapi"] == "3.1.0"
    assert b"<script" not in nobody.get("/docs").raw
    assert nobody.get("/health/live").status == 200
    assert nobody.get("/metrics").status == 401


def test_figures_name_routes_and_never_ids(shop: Client) -> None:
    figures = shop.get("/metrics").raw.decode()
    assert 'route="/v1/members/{member}/card"' in figures
    assert "ada" not in figures
