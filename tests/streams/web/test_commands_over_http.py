"""Commands over HTTP: each happens once, is answered once, and says what was wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.streams.web.client import Served, segment

IDS = count(1)


def fresh(kind: str) -> str:
    return f"{kind}-{next(IDS)}"


def line(product: str) -> dict[str, object]:
    return {"product": product, "quantity": 1, "gross": 5000, "total": 5000, "paid": 5000}


def test_an_order_paid_over_http_is_on_the_card_that_waits_for_it(served: Served) -> None:
    shop, member = served.client(), fresh("member")
    assert shop.post("/v1/members", {"member": member}).status == 201
    order = fresh("order")
    placed = {"command": "PlaceOrder", "order": order, "member": member, "currency": "EUR", "lines": [line("tea")]}
    commands = [placed, {"command": "PayOrder", "order": order}]
    paid = shop.post("/v1/requests", {"commands": commands})
    assert paid.status == 200, paid.raw
    card = shop.get(f"/v1/members/{member}/card?wait_for={paid.json['position']}&wait_ms=10000")
    assert card.status == 200
    assert card.json["pending"] == 50
    orders = shop.get(f"/v1/members/{member}/orders?wait_for={paid.json['position']}&wait_ms=10000").json
    assert [order["order"] for order in orders["orders"]] == [order]


def test_a_repeated_key_brings_the_first_answer(served: Served) -> None:
    shop, member = served.client(), fresh("member")
    first = shop.post("/v1/members", {"member": member}, Idempotency_Key="k-1")
    second = shop.post("/v1/members", {"member": member, "name": None}, Idempotency_Key='"k-1"')
    assert first.status == second.status == 201
    assert second.json == {**first.json, "repeated": True}


def test_another_request_under_a_used_key_is_refused(served: Served) -> None:
    shop = served.client()
    shop.post("/v1/members", {"member": fresh("member")}, Idempotency_Key="k-2")
    other = shop.post("/v1/members", {"member": fresh("member")}, Idempotency_Key="k-2")
    assert (other.status, other.json["code"]) == (409, "id_taken")


def test_one_key_asked_by_fifty_at_once_happens_once(served: Served) -> None:
    shop, member = served.client(), fresh("member")
    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(lambda _: shop.post("/v1/members", {"member": member}, Idempotency_Key="k-3"), range(50)))
    assert {answer.status for answer in answers} == {201}
    assert sum(not answer.json["repeated"] for answer in answers) == 1


def test_the_answer_to_a_refusal_is_kept(served: Served) -> None:
    shop, member = served.client(), fresh("member")
    shop.post("/v1/members", {"member": member})
    first = shop.post("/v1/members", {"member": member, "name": "Eve"}, Idempotency_Key="k-4")
    second = shop.post("/v1/members", {"member": member, "name": "Eve"}, Idempotency_Key="k-4")
    assert first.status == second.status == 409
    assert first.json == second.json


def test_commands_of_one_request_happen_together_or_not_at_all(served: Served) -> None:
    shop, member = served.client(), fresh("member")
    commands = [{"command": "RegisterMember", "member": member}, {"command": "PayOrder", "order": "nowhere"}]
    refused = shop.post("/v1/requests", {"commands": commands})
    assert (refused.status, refused.json["code"]) == (422, "order_unknown")
    assert shop.post("/v1/members", {"member": member}).status == 201


def test_a_batch_of_behaviour_is_atomic_and_names_the_act_that_is_wrong(served: Served) -> None:
    shop = served.client()
    acts = [{"kind": "Viewed", "product": "tea", "session": "s"}, {"kind": "Viewed", "product": 7, "session": "s"}]
    wrong = shop.post("/v1/behaviour", {"acts": acts})
    assert (wrong.status, wrong.json["pointer"]) == (422, "/acts/1/product")
    assert shop.post("/v1/behaviour", {"acts": acts[:1]}).json["events"] == 1


def test_a_partial_batch_answers_for_each_act(served: Served) -> None:
    acts = [{"kind": "Viewed", "product": "tea", "session": "s"}, {"kind": "Viewed", "product": "tea"}]
    answer = served.client().post("/v1/behaviour?partial=true", {"acts": acts}).json
    assert [one["accepted"] for one in answer["results"]] == [True, False]
    assert answer["refused"] == 1
    assert answer["results"][1]["code"] == "shopper_missing"


@pytest.mark.parametrize("product", ["a/b", "a%2Fb", "ä b", "..", "a?b#c"])
def test_an_id_with_any_character_is_one_segment(served: Served, product: str) -> None:
    shop = served.client()
    made = shop.post("/v1/products", {"product": product, "name": f"<{product}>"})
    assert made.status == 201
    found = shop.get(f"{made.headers['location']}?wait_for={made.json['position']}&wait_ms=10000")
    assert found.json["product"] == product
    assert made.headers["location"] == f"/v1/products/{segment(product)}"


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"{", 400, "json_invalid"),
        (b'{"member":"\xff"}', 400, "json_invalid"),
        (b"[" * 100_000, 422, "body_invalid"),
        (b'{"member":"m","nonsense":1}', 422, "body_invalid"),
        (b'{"member":"m","at":5.5}', 422, "body_invalid"),
        (b'{"member":null}', 422, "body_invalid"),
        (b"{}", 422, "body_invalid"),
        (b'{"member":"m","name":"' + b"x" * 1_100_000 + b'"}', 413, "body_too_large"),
    ],
)
def test_a_broken_body_is_answered_with_its_problem(served: Served, raw: bytes, status: int, code: str) -> None:
    answer = served.client().ask("POST", "/v1/members", raw)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_other_content_types_and_compressed_bodies_are_refused(served: Served) -> None:
    shop = served.client()
    assert shop.ask("POST", "/v1/members", b"member=1", Content_Type="text/plain").status == 415
    assert shop.ask("POST", "/v1/members", b"\x1f\x8b", Content_Encoding="gzip").status == 415


def test_a_problem_speaks_the_askers_language(served: Served) -> None:
    shop, member = served.client(), fresh("member")
    shop.post("/v1/members", {"member": member})
    answer = shop.post("/v1/members", {"member": member, "name": "Eve"}, Accept_Language="zh-CN, en;q=0.5")
    assert answer.headers["content-language"] == "zh"
    assert answer.json["detail"] == "该会员已注册。"
    assert answer.json["code"] == "member_registered"


def test_a_storefront_cannot_date_far_back(served: Served) -> None:
    key = served.key_of("storefront")
    answer = served.client(key).post("/v1/members", {"member": fresh("member"), "at": 1_500_000_000_000})
    assert (answer.status, answer.json["code"]) == (422, "instant_out_of_range")


def test_what_became_of_a_request_can_be_asked_by_its_key(served: Served) -> None:
    shop = served.client()
    shop.post("/v1/members", {"member": fresh("member")}, Idempotency_Key="k-9")
    assert shop.get("/v1/requests/k-9").json["accepted"] is True
    assert shop.get("/v1/requests/k-10").status == 404
