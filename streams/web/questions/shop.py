"""What storefronts and back offices ask: read models of members, carts, orders, products, lists and sales."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from projections.order_lists import list_of_product
from streams.web.doors import Scope
from streams.web.problems import HttpProblem
from streams.web.questions.question import CURSOR, LIMIT, Asked, Parameter, Question, whole

S, B, A, M = Scope.STOREFRONT, Scope.BACK_OFFICE, Scope.ANALYST, Scope.MEMBER
PERIOD_MS = 28 * 86_400_000


def stored(part: str, path: str, summary: str, *, scopes: tuple[Scope, ...] = (S, B, M), keys: str = "member") -> Question:
    """Return the question for one JSON read model, sent as it is stored."""

    async def answer(asked: Asked) -> bytes:
        raw = (await asked.reader.documents([f"{part}:{asked.ids[keys]}"], asked.wanted))[0]
        if raw is None:
            raise HttpProblem(404, "not_found", f"Nothing is known of {asked.ids[keys]} here.")
        return raw

    return Question(part, path, scopes, summary, answer, part=part)


async def orders(asked: Asked) -> dict[str, Any]:
    """A page of a member's orders, newest first."""
    listed = (await asked.reader.documents([f"orders:{asked.ids['member']}"], asked.wanted))[0]
    document: dict[str, Any] = json.loads(listed) if listed else {"orders": [], "position": 0}
    known = document["orders"]
    ids, following = page([one["order"] for one in known], asked)
    raw = await asked.reader.documents([f"order:{one}" for one in ids]) if ids else []
    return {
        "orders": [msgspec.Raw(one) for one in raw if one is not None],
        "next": following,
        "as_of": max((one["at"] for one in known), default=None),
        "position": document["position"],
    }


async def order(asked: Asked) -> dict[str, Any]:
    raw = (await asked.reader.documents([f"order:{asked.ids['order']}"], asked.wanted))[0]
    found: dict[str, Any] | None = None if raw is None else json.loads(raw)
    if found is None or asked.caller.member not in (None, found.get("member")):
        raise HttpProblem(404, "not_found", f"There is no order {asked.ids['order']} here.")
    return found


async def product(asked: Asked) -> dict[str, Any]:
    key = f"product:{asked.ids['product']}"
    position, fields = await asked.reader.position_of(key, asked.wanted), await asked.reader.table(key, asked.wanted)
    if not fields:
        raise HttpProblem(404, "not_found", f"There is no product {asked.ids['product']}.")
    return {**product_document(asked.ids["product"], fields), "position": position}


async def order_list(asked: Asked) -> dict[str, Any]:
    """A page of the shop's orders, newest first, by their first and last day, a product, and a state.

    It reads day by day, as far as the page goes. It goes on behind the last order of the page before by that order's day,
    instant and name, wherever the order is now: who ships what is paid, page by page, misses none.
    """
    since, until = span(asked)
    position = await asked.reader.position_of_all("order-state", asked.wanted)
    of, last = order_cursor(asked)
    days = [key.split(":")[1] for key in await asked.reader.keys_of("orders-on")]
    limit, entries = limit_of(asked), list[ListedOrder]()
    for day in sorted((day for day in days if since <= day <= until and (last is None or day <= last.day)), reverse=True):
        entries += [one for one in await orders_on(day, asked) if last is None or one.is_behind(last)]
        if len(entries) > limit:
            break
    chosen = entries[:limit]
    states = [msgspec.Raw(raw) for raw in await states_of(asked, [one.order for one in chosen])]
    following = cursor_text(of, chosen[-1]) if len(entries) > limit else None
    return {"orders": states, "next": following, "position": position}


class ListedOrder(NamedTuple):
    """Where an order stands in the list: on its day, at its instant; by name where two have the same."""

    day: str
    at: int
    order: str

    def is_behind(self, last: ListedOrder) -> bool:
        """Return whether this comes after another one in a list with the newest first."""
        return self.day < last.day or (self.day == last.day and (-self.at, self.order) > (-last.at, last.order))


async def orders_on(day: str, asked: Asked) -> list[ListedOrder]:
    """Return the orders of a day with the product and in the state that are asked for, newest first."""
    found = {name: int(at) for name, at in (await asked.reader.table(f"orders-on:{day}")).items()}
    if product_asked := asked.query.get("product"):
        with_it = await asked.reader.table(list_of_product(product_asked, day))
        found = {name: at for name, at in found.items() if name in with_it}
    names = sorted(found, key=lambda name: (-found[name], name))
    if (state := asked.query.get("state")) is not None:
        parts = [await states_of(asked, names[first : first + 1000]) for first in range(0, len(names), 1000)]
        known = [json.loads(raw) for part in parts for raw in part]
        names = [one["order"] for one in known if state in (one["status"], one["payment"], one["fulfilment"])]
    return [ListedOrder(day, found[name], name) for name in names]


async def states_of(asked: Asked, names: Sequence[str]) -> list[bytes]:
    raw = await asked.reader.documents([f"order-state:{name}" for name in names]) if names else []
    return [one for one in raw if one is not None]


TEXTS = frozenset({"name", "description", "department", "category", "brand", "image", "status"})


def product_document(id: str, fields: dict[str, str]) -> dict[str, Any]:  # noqa: A002 - the document's own word
    """Return a product's hash as JSON: counters and prices as integers, attributes as an object."""
    told: dict[str, Any] = {"product": id}
    for name, value in sorted(fields.items()):
        told[name] = value if name in TEXTS else json.loads(value)
    return told


async def popular(asked: Asked) -> bytes:
    raw = (await asked.reader.documents(["popular"], asked.wanted))[0]
    return raw or b'{"items":[],"as_of":null,"position":0}'


async def programme(asked: Asked) -> bytes:
    raw = (await asked.reader.documents(["programme:shop"], asked.wanted))[0]
    return raw or b'{"versions":[],"as_of":null,"position":0}'


async def trending(asked: Asked) -> dict[str, Any]:
    at = whole(asked.query, "at", None)
    position = await asked.reader.position_of("trending:0", asked.wanted)
    if at is None:
        known = json.loads(await popular(asked))
        at = known["as_of"] or 0
    limit = limit_of(asked)
    items = await asked.reader.highest(f"trending:{at // PERIOD_MS}", limit, asked.wanted)
    return {"items": [{"product": name, "weight": weight} for name, weight in items], "as_of": at, "position": position}


async def sales(asked: Asked) -> dict[str, Any]:
    """Daily sales from one day to another, oldest first."""
    since, until = span(asked)
    split = asked.query.get("by")
    if split not in (None, "department", "category"):
        raise HttpProblem(400, "query_invalid", "`by` is department or category.")
    position = await asked.reader.position_of_all("sales", asked.wanted)
    keys = [key for key in await asked.reader.keys_of("sales") if _of_span(key, since, until, split)]
    chosen, following = page(keys, asked)
    tables = await asked.reader.tables(chosen)
    days = [{"day": key.split(":")[1], **_counts(fields, split)} for key, fields in zip(chosen, tables, strict=True)]
    return {"days": days, "next": following, "position": position}


def _of_span(key: str, since: str, until: str, split: str | None) -> bool:
    parts = key.split(":")
    return since <= parts[1] <= until and (len(parts) == 2 if split is None else parts[2:] == [split])


def _counts(fields: dict[str, str], split: str | None) -> dict[str, Any]:
    if split is None:
        return {name: int(value) for name, value in sorted(fields.items())}
    of: dict[str, dict[str, int]] = {}
    for name, value in sorted(fields.items()):
        group, _, counter = name.rpartition(":")
        of.setdefault(group, {})[counter] = int(value)
    return {split: of}


async def quality(asked: Asked) -> dict[str, Any]:
    """How good the lists were, by day: sums over baskets, as in the read models."""
    since, until = span(asked)
    position = await asked.reader.position_of_all("quality", asked.wanted)
    keys = [key for key in await asked.reader.keys_of("quality") if since <= key.split(":")[1] <= until]
    chosen, following = page(keys, asked)
    tables = await asked.reader.tables(chosen)
    days = [
        {"day": key.split(":")[1], "sums": {name: float(value) for name, value in sorted(fields.items())}}
        for key, fields in zip(chosen, tables, strict=True)
    ]
    return {"days": days, "next": following, "position": position}


async def campaign(asked: Asked) -> dict[str, Any]:
    key = f"campaign:{asked.ids['campaign']}"
    position, fields = await asked.reader.position_of(key, asked.wanted), await asked.reader.table(key, asked.wanted)
    if not fields:
        raise HttpProblem(404, "not_found", f"There is no campaign {asked.ids['campaign']}.")
    told = {name: _number_or_text(value) for name, value in sorted(fields.items())}
    return {"campaign": asked.ids["campaign"], **told, "position": position}


def _number_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


async def products(asked: Asked) -> dict[str, Any]:
    """Products whose name holds what was asked for, in the order of their names."""
    needle = asked.query.get("name", "").casefold()
    if not needle:
        raise HttpProblem(400, "query_invalid", "Say `name=`: a part of a product's name.")
    position = await asked.reader.position_of_all("product", asked.wanted)
    keys = await asked.reader.keys_of("product")
    found: list[tuple[str, str, dict[str, str]]] = []
    for first in range(0, len(keys), 1000):
        some = keys[first : first + 1000]
        for key, fields in zip(some, await asked.reader.tables(some), strict=True):
            if needle in fields.get("name", "").casefold():
                found.append((fields["name"], key.partition(":")[2], fields))
    found.sort(key=lambda one: one[:2])
    chosen, following = page(found, asked)
    return {"products": [product_document(name, fields) for _, name, fields in chosen], "next": following, "position": position}


def page(entries: Sequence[Any], asked: Asked) -> tuple[list[Any], str | None]:
    """Return the entries of this page and the cursor of the next, None at the end.

    A cursor holds the last entry before it and a hash of the query, so that it serves that query alone.
    Raises :class:`HttpProblem` 400 ``cursor_invalid``.
    """
    limit = limit_of(asked)
    of, told = cursor(asked)
    first = 0
    if told is not None:
        last = str(told)
        first = next((at + 1 for at, entry in enumerate(entries) if _name(entry) == last), len(entries))
    chosen = list(entries[first : first + limit])
    if first + limit >= len(entries) or not chosen:
        return chosen, None
    return chosen, cursor_text(of, _name(chosen[-1]))


def cursor(asked: Asked) -> tuple[str, Any]:
    """Return a hash of the query, and the last entry of the page before. Raises :class:`HttpProblem` 400 ``cursor_invalid``."""
    filters = {name: value for name, value in asked.query.items() if name not in ("cursor", "limit", "wait_for", "wait_ms")}
    of = sha256(json.dumps([asked.http.scope["path"], sorted(filters.items())]).encode()).hexdigest()[:12]
    told = asked.query.get("cursor")
    if not told:
        return of, None
    try:
        known, last = json.loads(base64.urlsafe_b64decode(told.encode()))
    except (ValueError, TypeError, RecursionError):
        raise cursor_invalid() from None
    if known != of:
        raise HttpProblem(400, "cursor_invalid", "This cursor is of another query.")
    return of, last


def order_cursor(asked: Asked) -> tuple[str, ListedOrder | None]:
    """Return the same, with the last order of the page before."""
    of, last = cursor(asked)
    match last:
        case None:
            return of, None
        case [str(day), int(at), str(order)]:
            return of, ListedOrder(day, at, order)
        case _:
            raise cursor_invalid()


def cursor_text(of: str, last: object) -> str:
    return base64.urlsafe_b64encode(json.dumps([of, last]).encode()).decode()


def cursor_invalid() -> HttpProblem:
    return HttpProblem(400, "cursor_invalid", "This cursor is none that was given here.")


def limit_of(asked: Asked) -> int:
    """Return how many entries a page has. Raises :class:`HttpProblem` 400."""
    limit = whole(asked.query, "limit", 20) or 0
    if not 1 <= limit <= 100:
        raise HttpProblem(400, "query_invalid", "`limit` is 1 to 100.")
    return limit


def _name(entry: Any) -> str:
    return str(entry if isinstance(entry, str) else entry[1])


def span(asked: Asked) -> tuple[str, str]:
    """Return the first and the last day asked for. Raises :class:`HttpProblem` 400 for what is no day."""
    days = asked.query.get("from", FIRST_DAY), asked.query.get("to", LAST_DAY)
    for day in days:
        try:
            date.fromisoformat(day)
        except ValueError:
            raise HttpProblem(400, "query_invalid", f"{day!r} is no day: write 2017-01-08.") from None
    return days


FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
STATES = {
    "type": "string",
    "enum": ["placed", "paid", "shipped", "delivered", "cancelled", "refunded", "none", "pending", "failed", "part",
             "part_refunded", "part_returned", "returned"],
}  # fmt: skip
DAY = {"type": "string", "format": "date"}
FROM = Parameter("from", "The first day, as 2017-01-08.", DAY, "2017-01-01")
TO = Parameter("to", "The last day.", DAY, "2017-12-31")
MEMBER = "/v1/members/{member}"

QUESTIONS: tuple[Question, ...] = (
    stored("card", f"{MEMBER}/card", "A member's card: points, tier, and what changes next."),
    stored("cart", f"{MEMBER}/cart", "A member's open cart."),
    Question(
        "orders", f"{MEMBER}/orders", (S, B, M), "A member's orders, newest first.", orders, (LIMIT, CURSOR), part="orders"
    ),
    stored("wallet", f"{MEMBER}/wallet", "A member's coupons."),
    stored("store-credit", f"{MEMBER}/store-credit", "A member's store credit: balances, holds, ends."),
    stored("gift-card", "/v1/gift-cards/{card}", "What is on a gift card.", scopes=(S, B), keys="card"),
    stored("activity", f"{MEMBER}/activity", "What a member looked at, searched, likes and dismissed."),
    stored("member-visit", f"{MEMBER}/visit", "What a member is looking at now, and what to show them."),
    stored("sessions", f"{MEMBER}/sessions", "A member's latest sessions.", scopes=(S, B)),
    stored("session", "/v1/sessions/{session}", "Which member a session was joined to.", scopes=(S, B), keys="session"),
    stored("guest-cart", "/v1/sessions/{session}/cart", "A guest's open cart.", scopes=(S, B), keys="session"),
    stored("visit", "/v1/sessions/{session}/visit", "A guest's visit, and what to show them.", scopes=(S, B), keys="session"),
    Question("order", "/v1/orders/{order}", (S, B, M), "An order in full.", order, part="order"),
    Question(
        "products", "/v1/products", (S, B, M), "Products by a part of their name.", products,
        (Parameter("name", "A part of the name, in any case.", {"type": "string", "minLength": 1}, "tea"), LIMIT, CURSOR),
        part="product",
    ),
    Question("product", "/v1/products/{product}", (S, B, M), "A product, with its counters.", product, part="product"),
    stored("lowest", "/v1/products/{product}/lowest-price", "Its lowest price of 30 days, for reductions.", keys="product"),
    stored("order-state", "/v1/orders/{order}/state", "An order's states in short.", scopes=(S, B), keys="order"),
    Question(
        "order-list", "/v1/orders", (B, A), "Orders by day, product and state, newest first.", order_list,
        (FROM, TO, Parameter("product", "With this product.", {"type": "string"}), Parameter("state", "In this state.", STATES),
         LIMIT, CURSOR), part="order-state",
    ),
    stored("also", "/v1/products/{product}/also", "What a product is bought with.", keys="product"),
    Question("popular", "/v1/popular", (S, B, M), "What to show somebody unknown.", popular, part="popular"),
    Question(
        "trending", "/v1/trending", (S, B, M), "What sells now.", trending,
        (LIMIT, Parameter("at", "UTC epoch milliseconds; the shop's latest basket if left out.", {"type": "integer"})),
        part="trending",
    ),
    Question(
        "sales", "/v1/sales", (B, A), "Daily sales.", sales,
        (FROM, TO, Parameter("by", "Split each day.", {"type": "string", "enum": ["department", "category"]}), LIMIT, CURSOR),
        part="sales",
    ),
    Question(
        "quality", "/v1/quality", (B, A), "How good the lists were, by day.", quality, (FROM, TO, LIMIT, CURSOR), part="quality"
    ),
    Question("campaign", "/v1/campaigns/{campaign}", (B, A), "A campaign's terms and results.", campaign, part="campaign"),
    Question(
        "programme", "/v1/programme", (S, B, M), "What earns points, what tiers ask and give.", programme, part="programme"
    ),
)  # fmt: skip
