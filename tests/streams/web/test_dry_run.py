"""A dry run says what would be decided, and writes nothing."""

from __future__ import annotations

import json

from tests.journey.regulars import Regulars
from tests.streams.web.client import Client, Served

LINE = {"product": "tea", "quantity": 1, "gross": 5000, "total": 5000, "paid": 5000}


def head(shop: Client) -> int:
    position = shop.get("/v1/lag").json["head"]
    assert isinstance(position, int)
    return position


def test_a_dry_run_tells_the_events_and_the_policy_and_the_log_stays_as_it_is(served: Served) -> None:
    shop = served.client()
    assert shop.post("/v1/members", {"member": "dry", "email": "dry@example.com"}).status == 201
    before = head(shop)
    placed = {"command": "PlaceOrder", "order": "dry-1", "member": "dry", "currency": "EUR", "lines": [LINE]}
    commands = [placed, {"command": "PayOrder", "order": "dry-1"}]
    answer = shop.post("/v1/requests?dry_run=true", {"commands": commands}, Idempotency_Key="dry-key")
    assert (answer.status, answer.json["accepted"], answer.json["policy"]) == (200, True, 1)
    assert [one["event"] for one in answer.json["events"]] == ["OrderPlaced", "OrderPaid", "PointsGranted"]
    assert answer.json["events"][2]["content"]["points"] == 50
    assert head(shop) == before
    assert shop.get("/v1/requests/dry-key").status == 404
    really = shop.post("/v1/requests", {"commands": commands}, Idempotency_Key="dry-key")
    assert (really.json["events"], really.json["repeated"]) == (3, False)


def test_a_dry_run_tells_the_refusal_also_of_a_rule_across_streams(served: Served) -> None:
    shop = served.client()
    shop.post("/v1/members", {"member": "owner", "email": "taken@example.com"})
    before = head(shop)
    taken = shop.post("/v1/members?dry_run=true", {"member": "other", "email": "taken@example.com"}).json
    assert (taken["accepted"], taken["code"], taken["events"]) == (False, "email_taken", [])
    assert shop.post("/v1/members?dry_run=true", {"member": "other", "email": "free@example.com"}).json["accepted"] is True
    assert shop.post("/v1/members", {"member": "third", "email": "free@example.com"}).status == 201
    assert head(shop) == before + 1


def test_a_member_is_told_the_kinds_of_events_alone(served: Served) -> None:
    token = served.client().post("/v1/tokens", {"member": "dry"}).json["token"]
    answer = served.client(token).post("/v1/carts?dry_run=true", {"cart": "dry-cart"})
    assert answer.json["events"] == [{"event": "CartOpened"}]


def test_another_query_is_refused(served: Served) -> None:
    shop = served.client()
    for query in ("dry_run=1", "dryrun=true", "dry_run=true&dry_run=true"):
        assert shop.post(f"/v1/members?{query}", {"member": "x"}).json["code"] == "query_invalid"


def test_the_console_has_it_too_and_records_who_did_what(served: Served) -> None:
    regulars = Regulars(served.home)
    status, out, err = regulars.run("send", "--dry-run", "CloseMember", "member=dry")
    assert status == 0, err
    assert json.loads(out)["events"][0]["event"] == "MemberClosed"
    assert regulars.run("send", "CloseMember", "member=nobody")[0] == 1
    status, _, err = regulars.run("send", "AdjustPoints", "member=dry", "adjustment=a-1", "points=10", "reason=goodwill")
    assert status == 0, err
    by_act = {one["act"]: one for one in regulars.json("acts")}
    assert (by_act["CloseMember"]["target"], by_act["CloseMember"]["outcome"]) == ("nobody", "member_unknown")
    assert by_act["AdjustPoints"]["outcome"] == "done"
    assert by_act["AdjustPoints"]["actor"].startswith("console")
    assert by_act["key.create"]["actor"].startswith("console")
