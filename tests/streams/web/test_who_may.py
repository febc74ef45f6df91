"""Every route asked by every role: nobody reads or changes what is not theirs. The table comes from the routes."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from streams.registry import COMMANDS, CONSOLE_ONLY, REACTIONS
from streams.web.doors import BEHAVIOUR, BEHAVIOUR_PATH, DOORS, KEY_SCOPES, Scope
from streams.web.openapi import path_names
from tests.journey.regulars import Regulars
from tests.streams.web.client import Served

ROLES = [scope.value for scope in KEY_SCOPES]
OPEN = {"/health/live", "/health/ready", "/openapi.json", "/docs"}


def test_every_command_that_is_not_the_consoles_alone_has_a_door() -> None:
    asked_for = set(COMMANDS) - REACTIONS - CONSOLE_ONLY - set(BEHAVIOUR.values())
    assert asked_for == set(DOORS)


@pytest.fixture(scope="module")
def credentials(served: Served) -> dict[str, str]:
    """A key of each scope, and a token of member `ada`."""
    keys = {role: served.key_of(role) for role in ROLES}
    token = served.client(keys["storefront"]).post("/v1/tokens", {"member": "ada"})
    return {**keys, "member": token.json["token"]}


def operations(served: Served) -> list[tuple[str, str, frozenset[str]]]:
    """Every method and path of the document, with who may use it."""
    document = json.loads(served.anonymous().get("/openapi.json").raw)
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            said = operation["description"].partition("Who may: ")[2].rstrip(".")
            found.append((method.upper(), path, frozenset(said.split(", ")) if said else frozenset()))
    return found


def test_each_role_is_let_in_where_the_table_says_and_nowhere_else(served: Served, credentials: dict[str, str]) -> None:
    tried = 0
    for method, path, may in operations(served):
        if path in OPEN or not may:
            continue
        there = path
        for name in path_names(path):
            there = there.replace(f"{{{name}}}", "ada" if name in ("member", "leaver") else "x")
        for role, credential in credentials.items():
            answer = served.client(credential).ask(method, there, {} if method != "GET" else None)
            assert (answer.status == 403) == (role not in may), (method, there, role, answer.raw)
            tried += 1
        assert served.anonymous().ask(method, there).status == 401, (method, there)
    assert tried > 300


def test_a_member_never_reaches_another(served: Served, credentials: dict[str, str]) -> None:
    token = served.client(credentials["member"])
    tried = 0
    for method, path, may in operations(served):
        names = path_names(path)
        if "member" not in may or not {"member", "leaver"} & set(names) or path == "/v1/pools/{member}/members":
            continue
        there = path
        for name in names:
            there = there.replace(f"{{{name}}}", "eve" if name in ("member", "leaver") else "x")
        answer = token.ask(method, there, smallest_body(served, method, path) if method != "GET" else None)
        assert answer.status == 404, (method, there, answer.raw)
        tried += 1
    assert tried >= 10


def smallest_body(served: Served, method: str, path: str) -> dict[str, Any]:
    """The document's example, without what a member's token may not say."""
    operation = json.loads(served.anonymous().get("/openapi.json").raw)["paths"][path][method.lower()]
    example: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["example"]
    return {name: value for name, value in example.items() if name not in ("price", "member", "joiner", "leaver", "session")}


def test_a_token_acts_for_its_member_alone(served: Served, credentials: dict[str, str]) -> None:
    shop, token = served.client(), served.client(credentials["member"])
    shop.post("/v1/requests", {"commands": [{"command": "OpenCart", "cart": "eves", "member": "eve"}]})
    assert token.post("/v1/carts", {"cart": "adas"}).status == 201
    assert token.post("/v1/carts/adas/items", {"product": "tea"}).status == 200
    assert token.post("/v1/carts/eves/items", {"product": "tea"}).status == 404
    assert token.post("/v1/carts", {"cart": "more", "member": "eve"}).status == 422
    assert token.post("/v1/carts/adas/items", {"product": "tea", "price": 1}).status == 422
    assert token.post(BEHAVIOUR_PATH, {"acts": [{"kind": "Viewed", "product": "tea", "member": "eve"}]}).status == 422
    assert token.post(BEHAVIOUR_PATH, {"acts": [{"kind": "Viewed", "product": "tea"}]}).status == 200
    in_request = {"command": "AddToCart", "cart": "eves", "product": "tea"}
    assert token.post("/v1/requests", {"commands": [in_request]}).status == 404
    assert token.post("/v1/requests", {"commands": [{"command": "CloseMember", "member": "ada"}]}).status in (403, 422)


def test_a_cart_id_that_is_used_again_is_its_new_shoppers_alone(served: Served, credentials: dict[str, str]) -> None:
    shop, ada = served.client(), served.client(credentials["member"])
    eve = served.client(shop.post("/v1/tokens", {"member": "eve", "seconds": 60}).json["token"])
    used = [
        {"command": "OpenCart", "cart": "till", "member": "ada"},
        {"command": "AddToCart", "cart": "till", "product": "tea", "quantity": 1},
        {"command": "CheckOutCart", "cart": "till"},
        {"command": "OpenCart", "cart": "till", "member": "eve", "anew": True},
    ]
    assert shop.post("/v1/requests", {"commands": used}).status == 200
    assert ada.post("/v1/carts/till/items", {"product": "tea"}).status == 404
    assert eve.post("/v1/carts/till/items", {"product": "tea"}).status == 200


@pytest.mark.parametrize("claims", [{"exp": None}, {"aud": "other"}, {"sub": None}, {"exp": 1}, {"exp": 9_999_999_999}])
def test_a_token_that_is_not_exactly_right_is_401(served: Served, claims: dict[str, Any], credentials: dict[str, str]) -> None:
    good = jwt.decode(credentials["member"], options={"verify_signature": False})
    told = {name: value for name, value in {**good, **claims}.items() if value is not None}
    forged = jwt.encode(told, b"x" * 32, "HS256", headers=jwt.get_unverified_header(credentials["member"]))
    assert served.client(forged).get("/v1/popular").status == 401
    unsigned = jwt.encode(told, "", "none", headers={"kid": "x"})
    assert served.client(unsigned).get("/v1/popular").status == 401


def test_a_revoked_key_gets_nobody_in(served: Served) -> None:
    regulars = Regulars(served.home)
    made = regulars.json("key", "create", "gone", "--scope", "storefront")
    assert regulars.run("key", "revoke", made["id"])[0] == 0
    assert served.client(made["key"]).get("/v1/popular").status == 401
    assert regulars.run("key", "revoke", made["id"])[0] == 1
    listed = {key["id"]: key for key in regulars.json("key", "list")}
    assert listed[made["id"]]["revoked"] is not None
    assert "secret" not in json.dumps(listed)


def test_the_file_of_keys_is_its_owners_alone(served: Served) -> None:
    assert (served.home / "access.db").stat().st_mode & 0o777 == 0o600
    assert Scope.MEMBER not in KEY_SCOPES
