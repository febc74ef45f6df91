"""The document's examples, run: every question's is answered, every body's is one that the API takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.streams.web.client import Client, Served, segment

SHOP = (
    "RegisterMember", "ListProduct", "LaunchCampaign", "ChangeCampaign", "SendCoupon", "IssueGiftCard", "OpenCart", "AddToCart",
    "PlaceOrder", "PayOrder", "JoinSession",
)  # fmt: skip
"""What is done first, each by its example, so that the questions have something to tell."""

OTHER = {"product": "pot", "quantity": 1, "gross": 500, "total": 500, "paid": 500}
MORE: list[dict[str, Any]] = [
    {"command": "RegisterMember", "member": "2081"},
    {"command": "OpenCart", "cart": "c-1", "member": "1057"},
    {"command": "AddToCart", "cart": "c-1", "product": "tea", "quantity": 2, "price": 1990},
    {"command": "OpenCart", "cart": "c-2", "session": "s-1"},
    {"command": "AddToCart", "cart": "c-2", "product": "tea", "quantity": 1, "price": 1990},
    {"command": "IssueGiftCard", "card": "credit-1", "member": "1057", "amount": 500},
    {"command": "Viewed", "member": "1057", "product": "tea"},
    {"command": "Viewed", "session": "s-1", "product": "pot"},
    {"command": "PlaceOrder", "order": "o-2", "member": "1057", "currency": "EUR", "lines": [OTHER]},
    {"command": "PayOrder", "order": "o-2"},
]


class Document:
    def __init__(self, shop: Client) -> None:
        self.shop = shop
        told = shop.get("/openapi.json").json
        self.operations = [(m.upper(), path, one) for path, methods in told["paths"].items() for m, one in methods.items()]

    def path(self, path: str, operation: dict[str, Any], **more: object) -> str:
        """The path with the examples of its parameters."""
        query = {name: str(value) for name, value in more.items()}
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", segment(parameter["example"]))
            elif parameter["in"] == "query" and "example" in parameter:
                query.setdefault(parameter["name"], parameter["example"])
        return f"{path}?{urlencode(query)}" if query else path

    def body(self, operation: dict[str, Any]) -> object:
        return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example", {})

    def named(self, name: str) -> tuple[str, str, dict[str, Any]]:
        return next(one for one in self.operations if one[2]["operationId"] == name)


@pytest.fixture(scope="module")
def document(served: Served) -> Document:
    return Document(served.client())


@pytest.fixture(scope="module")
def position(document: Document) -> int:
    """The log's head once the shop has been trading."""
    for name in SHOP:
        method, path, operation = document.named(name)
        done = document.shop.ask(method, document.path(path, operation), document.body(operation), Idempotency_Key=f"o-{name}")
        assert done.status in (200, 201), (name, done.raw)
    done = document.shop.post("/v1/requests", {"commands": MORE}, Idempotency_Key="o-1")
    assert done.status == 200, done.raw
    return int(done.json["position"])


WITHOUT_INSTANT = ("health_live", "health_ready", "metrics", "list_webhooks", "list_dead_letters", "admin_acts")
"""What tells of the server and not of the log."""

OF_AN_ID_MADE_HERE = "list_dead_letters"


def test_the_example_of_every_question_is_answered_and_says_as_of_when(document: Document, position: int) -> None:
    asked = 0
    for method, path, operation in document.operations:
        name = operation["operationId"]
        if method != "GET":
            continue
        path = document.path(path, operation)
        answer = document.shop.get(path) if name in WITHOUT_INSTANT else document.shop.wait(path, position)
        if name == OF_AN_ID_MADE_HERE:
            assert answer.status == 404, (path, answer.raw)
            continue
        assert answer.status == 200, (path, answer.raw)
        if name not in WITHOUT_INSTANT:
            assert "as_of" in answer.json, (path, answer.raw)
        asked += 1
    assert asked > 40


def bodies(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    return ((method, path, one) for method, path, one in document.operations if method != "GET")


def test_the_example_of_every_body_is_one_that_the_api_takes(document: Document, position: int) -> None:
    """Commands are tried: what the state of this shop forbids is a refusal by name, never a body that is not valid."""
    assert position
    accepted, refused = set(), dict[str, str]()
    for method, path, operation in bodies(document):
        name = operation["operationId"]
        tries = any(parameter["name"] == "dry_run" for parameter in operation.get("parameters", ()))
        target = document.path(path, operation, **({"dry_run": "true"} if tries else {}))
        answer = document.shop.ask(method, target, document.body(operation))
        if answer.status in (200, 201) and answer.json.get("accepted", True):
            accepted.add(name)
            continue
        code = answer.json["code"]
        assert answer.status in (200, 404), (name, answer.raw)
        assert not code.endswith("_invalid"), (name, answer.raw)
        refused[name] = code
    assert len(accepted) > len(refused), refused
    assert {"behaviour", "requests", "recommendations", "tokens", "add_webhook", "PublishPolicy"} <= accepted


def test_what_is_unchanged_is_not_sent_again_though_time_has_passed(document: Document, position: int) -> None:
    path = "/v1/products/tea"
    first = document.shop.wait(path, position)
    assert first.headers["etag"].startswith('W/"')
    assert first.json["position"] >= position
    assert document.shop.get(path, If_None_Match=first.headers["etag"]).status == 304


def test_a_question_to_the_log_knows_no_position_beyond_it(document: Document, position: int) -> None:
    assert document.shop.get(f"/v1/members/1057/points/why?wait_for={position}").status == 200
    assert document.shop.get("/v1/members/1057/points/why?wait_for=99999999").json["code"] == "position_unknown"
    assert document.shop.get("/v1/products?name=tea&wait_for=99999999").json["code"] == "position_unknown"
