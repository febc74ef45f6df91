"""``regulars show``: one member, product or order, as storefronts see them, now or as of a place in the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import click
import msgspec
import orjson
from rich.console import RenderableType

from aggregates.decider import stream_id
from aggregates.order.decider import order as order_decider
from aggregates.order.events import Event as OrderEvent
from aggregates.order.events import OrderCancelled, OrderPlaced, OrderRefunded
from aggregates.programme import Programme
from infra.settings import from_environment
from projections.orders import Later, change_order, new_order
from streams.cli.at import AT, WITH_LATE, describe_place, read_place, say_place
from streams.cli.console import AS_JSON, CommandFailed, grid, pairs, print_json, say, show_parts
from streams.cli.formatting import format_instant, format_money
from streams.cli.groups import CommandGroup
from streams.cli.policy import published
from streams.cli.progress import progress
from streams.queries import views as reading
from streams.queries.clock import clock_of
from streams.queries.members import card_at, next_tier
from streams.replay.past.member import member_as_of
from streams.replay.past.places import Place
from streams.replay.past.read_models import past_of
from streams.running.app import App, running

LONGEST = 10_000
"""Events of one order: more than there are."""

COUNTED = {"orders": "orders", "points": "points", "engagement": "points of engagement"}


@click.group(cls=CommandGroup)
def show() -> None:
    """Show a member, a product or an order."""


@show.command()
@click.argument("member")
@AT
@WITH_LATE
@AS_JSON
def member(member: str, wanted_at: str | None, with_late: bool, as_json: bool) -> None:
    """Show a member's card as of now, with cart, wallet and latest orders; with --at as it was then, folded from the log."""
    if with_late and wanted_at is None:
        raise click.UsageError("--with-late goes with --at TIME.")
    with running(from_environment()) as app:
        if wanted_at is not None:
            show_past_member(app, member, read_place(app.log, app.terms, wanted_at, with_late), as_json)
            return
        found = {part: reading.document(app.views, f"{part}:{member}") for part in SHOWN}
        if not any(found.values()):
            raise CommandFailed(
                f"There is no member {member} in the read models. `regulars doctor` tells whether they are behind."
            )
        if found["card"]:
            found["card"] = card_at(found["card"], clock_of(app)())
        if as_json:
            print_json(found)
        else:
            latest = [f"order:{entry['order']}" for entry in (found["orders"] or {"orders": []})["orders"][:10]]
            show_parts(*member_page(app, found, list(reading.many(app.views, latest))))


SHOWN = ("card", "cart", "wallet", "orders")
"""The documents that ``show member`` prints."""


def show_past_member(app: App, member: str, place: Place, as_json: bool) -> None:
    """Print a member as of a place in the log."""
    with progress(transient=True) as bars:
        task = bars.add("reading the log", place.position)
        past, documents = member_as_of(app.log, app.terms, member, place, lambda reached: bars.update(task, reached))
    found = {part: documents[part] for part in SHOWN}
    if not any(found.values()):
        raise CommandFailed(f"Nothing was known of a member {member} then. {describe_place(place, app.terms)}")
    if as_json:
        print_json(found | {"place": place.document()})
        return
    say_place(place, app.terms)
    latest = (past.fields(f"order:{entry['order']}") for entry in (found["orders"] or {"orders": []})["orders"][:10])
    show_parts(*member_page(app, found, [order for order in latest if order]))


def member_page(
    app: App, found: dict[str, dict[str, Any] | None], orders: Sequence[dict[str, Any]]
) -> Iterator[RenderableType]:
    """Yield the tables of a member: card, cart, wallet and the latest ``orders``, as far as there are any."""
    if found["card"]:
        yield card_page(app, found["card"])
    if cart := found["cart"]:
        items = (
            (i["product"], i["quantity"], format_money(i["price"], app.terms) if i["price"] else "-") for i in cart["items"]
        )
        yield grid("Open cart", ("product", "quantity", "price"), items, numbers=(1, 2))
    if wallet := found["wallet"]:
        entries = (
            (
                e["campaign"],
                e["kind"] or "-",
                *(format_instant(e[part], app.terms) for part in ("starts", "ends")),
                len(e["uses"]),
            )
            for e in wallet["campaigns"].values()
        )
        yield grid("Coupon wallet", ("campaign", "kind", "from", "until", "used"), entries, numbers=(4,), wraps=(1,))
    if orders:
        latest = (
            (
                o["order"],
                format_instant(o["placed_at"], app.terms),
                o["status"],
                len(o["lines"]),
                format_money(o["total"], app.terms),
            )
            for o in orders
        )
        yield grid("Latest orders", ("order", "placed", "status", "lines", "total"), latest, numbers=(3, 4))


def card_page(app: App, card: dict[str, Any]) -> RenderableType:
    """Return a card with the points, the tier and what changes next."""
    title = f"Member {card['member']} ({card['status']})"
    if card["status"] == "erased":
        return pairs(title, [("erased", "nothing personal is left; what was bought stays in the log")])
    terms = app.terms
    profile = ", ".join(f"{name} {value}" for name, value in card["profile"].items())
    changes = [f"{format_instant(a['at'], terms)}: {a['points']} points become spendable" for a in card["activations"]]
    changes += tier_changes(card, terms)
    rows: list[tuple[str, object]] = [
        ("name", card["name"] or "-"),
        ("e-mail", card["email"] or "-"),
        ("profile", profile or "-"),
        ("points", f"{card['points']:,} to spend, {card['pending']:,} pending, {card['debt']:,} owed"),
        ("tier", describe_tier(card, published(app)[0].at(card["as_of"]))),
        ("benefits", describe_benefits(card["benefits"])),
        ("next", changes or "-"),
        ("as of", f"{format_instant(card['as_of'], terms)} (position {card['position']:,})"),
    ]
    return pairs(title, rows)


def describe_tier(card: dict[str, Any], terms: Programme) -> str:
    """Return the tier of a card in words: what it is, what is missing to the next one, and the forecast.

    >>> card = {"tier": "silver", "next_tier": "gold", "to_next_tier": 180000, "qualifying": 120000, "metric": "spend"}
    >>> describe_tier(card | {"leaving": 80000, "forecast": None, "override": None, "earned_tier": "silver"}, Programme())
    'silver; 1,800.00 USD to gold (1,200.00 USD count, 800.00 USD of them leave within 30 days)'
    """
    metric = card["metric"]
    following = next_tier(card, terms)
    ahead = f"{describe_amount(following[1], metric, terms)} to {following[0]}" if following else "the highest"
    leaving = f", {describe_amount(card['leaving'], metric, terms)} of them leave within 30 days" if card["leaving"] else ""
    forecast = f"; at this pace reached by {format_instant(card['forecast'], terms)[:10]}" if card["forecast"] else ""
    override = card["override"]
    over = f" (a {override['kind']}; {card['earned_tier']} is earned)" if override else ""
    return f"{card['tier']}{over}; {ahead} ({describe_amount(card['qualifying'], metric, terms)} count{leaving}){forecast}"


def describe_amount(value: int, metric: str, terms: Programme) -> str:
    """Return an amount of the metric that tiers go by."""
    return format_money(value, terms) if metric == "spend" else f"{value:,} {COUNTED[metric]}"


def describe_benefits(benefits: dict[str, Any]) -> str:
    """Return the benefits of a tier in words.

    >>> describe_benefits({"free_shipping": True, "early_access_hours": 24, "service_priority": 0, "perks": ["tea"]})
    'free shipping, early access hours 24, tea'
    """
    flags = ((name, value) for name, value in benefits.items() if name != "perks" and value)
    words = [name.replace("_", " ") + ("" if value is True else f" {value}") for name, value in flags]
    return ", ".join((*words, *benefits["perks"])) or "-"


def tier_changes(card: dict[str, Any], terms: Programme) -> Iterator[str]:
    """Yield a line for each date at which the tier of a card may change by time alone."""
    if card["provisional_until"]:
        yield f"{format_instant(card['provisional_until'], terms)}: the tier is no longer provisional"
    if card["grace_until"]:
        yield f"{format_instant(card['grace_until'], terms)}: the grace of {card['earned_tier']} ends"
    elif card["tier_until"]:
        yield f"{format_instant(card['tier_until'], terms)}: {card['earned_tier']} is reviewed"
    if card["override"] and card["override"]["until"]:
        kind, tier = card["override"]["kind"], card["override"]["tier"]
        yield f"{format_instant(card['override']['until'], terms)}: the {kind} of {tier} ends"


@show.command()
@click.argument("product")
@AT
@AS_JSON
def product(product: str, wanted_at: str | None, as_json: bool) -> None:
    """Show a product's page, and what it is bought with; with --at as it was then, which folds the whole learner."""
    with running(from_environment()) as app:
        place = None if wanted_at is None else read_place(app.log, app.terms, wanted_at)
        found, also = product_of(app, product, place)
        if not found:
            raise CommandFailed(f"There is no product {product} in the read models.")
        if as_json:
            print_json({"product": found, "also": also} | ({"place": place.document()} if place else {}))
            return
        if place:
            say_place(place, app.terms)
        parts = [pairs(f"Product {product}", describe_product(found, app.terms).items())]
        if also and also["items"]:
            companions = also["items"][:10]
            names = reading.product_names(app.views, [one["product"] for one in companions])
            rows = (
                (number, names[one["product"]], one["together"], f"{one['score']:.1f}", one["product"])
                for number, one in enumerate(companions, 1)
            )
            columns = ("", "product", "baskets", "score", "id")
            parts.append(grid("Often bought with it", columns, rows, numbers=(0, 2, 3), wraps=(1,)))
        show_parts(*parts)
        if len(parts) > 1:
            say("score: lift × √baskets, so higher is a stronger pair; it compares within this list")


def product_of(app: App, product: str, place: Place | None) -> tuple[dict[str, str], dict[str, Any] | None]:
    """Return a product's page and what it is bought with, as of now or of a place in the log."""
    keys = f"product:{product}", f"also:{product}"
    if place is None:
        return reading.table(app.views, keys[0]), reading.document(app.views, keys[1])
    with progress(transient=True) as bars:
        task = bars.add("reading the log", place.position)
        past = past_of(app.log, app.terms, keys, place.position, progress=lambda reached: bars.update(task, reached))
    return past.fields(keys[0]) or {}, past.fields(keys[1])


def describe_product(fields: dict[str, str], terms: Programme) -> dict[str, str]:
    """Return the fields of a product in words: money with its currency, attributes by name, the mean of its ratings.

    >>> describe_product({"price": "1990", "attributes": '{"size": "1 L"}', "reviews": "2", "half_stars": "17"}, Programme())
    {'price': '19.90 USD', 'attributes': 'size 1 L', 'rating': '4.2 of 5 stars in 2 reviews'}
    """
    words = {name: value for name, value in fields.items() if name not in ("reviews", "half_stars")}
    if "price" in fields:
        words["price"] = format_money(int(fields["price"]), terms)
    if "attributes" in fields:
        words["attributes"] = ", ".join(f"{name} {value}" for name, value in orjson.loads(fields["attributes"]).items())
    if reviews := int(fields.get("reviews", 0)):
        words["rating"] = f"{int(fields['half_stars']) / reviews / 2:.1f} of 5 stars in {reviews:,} reviews"
    return words


@show.command()
@click.argument("order")
@AT
@AS_JSON
def order(order: str, wanted_at: str | None, as_json: bool) -> None:
    """Show an order in full, with its dates and refunds; one older than its member's last 50 is read from the log."""
    with running(from_environment()) as app:
        place = None if wanted_at is None else read_place(app.log, app.terms, wanted_at)
        events = order_events(app, order, place)
        live = reading.document(app.views, f"order:{order}") if place is None else None
        found = live or order_of(events)
        if found is None:
            raise CommandFailed(f"There is no order {order} in the log{' then' if place else ''}.")
        given_back = [event for event in events if isinstance(event, OrderRefunded | OrderCancelled)]
        if as_json:
            print_json(found | {"refunds": given_back} | ({"place": place.document()} if place else {}))
        else:
            if place:
                say_place(place, app.terms)
            state = reading.document(app.views, f"order-state:{order}") if live else None
            show_parts(*order_page(found, given_back, app.terms, state))


def order_events(app: App, order: str, place: Place | None) -> list[OrderEvent]:
    """Return the events of an order, up to a place in the log if there is one."""
    stream = stream_id(order_decider.name, order)
    if place is None:
        return cast("list[OrderEvent]", app.log.read(stream)[0])
    rows = [row for row in app.log.rows_of(stream, LONGEST) if row.position <= place.position]
    return cast("list[OrderEvent]", [app.log.codec.decode(row.name, row.state) for row in rows])


def order_of(events: list[OrderEvent]) -> dict[str, Any] | None:
    """Return an order from its own events, as the read model has it; None if there are none."""
    if not events or not isinstance(events[0], OrderPlaced):
        return None
    view = new_order(events[0], 0)
    for event in events[1:]:
        if isinstance(event, Later):
            view = change_order(view, event, 0)
    return dict(msgspec.to_builtins(view))


def exchange_rows(state: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return how far an order is paid, and the orders that it was exchanged from and into.

    >>> exchange_rows({"payment": "part", "exchange_of": "o-1", "exchanged_into": []})
    [('payment', 'part'), ('exchange of', 'o-1')]
    """
    links = {"exchange of": state["exchange_of"], "exchanged into": ", ".join(state["exchanged_into"])}
    return [("payment", state["payment"]), *((name, order) for name, order in links.items() if order)]


def order_page(
    found: dict[str, Any],
    given_back: list[OrderRefunded | OrderCancelled],
    terms: Programme,
    state: dict[str, Any] | None,
) -> Iterator[RenderableType]:
    """Yield the tables of an order: dates and sums, lines, and refunds if there are any.

    ``state``: its payment and exchanges, as the read model has them; None where only the log has the order.
    """
    dates = ((name, found[f"{name}_at"]) for name in ("placed", "paid", "shipped", "delivered"))
    sums = ((name, format_money(found[name], terms)) for name in ("gross", "total", "paid", "tax", "refunded"))
    rows = [("member", found["member"] or "a guest"), ("status", found["status"])]
    rows += exchange_rows(state) if state else []
    rows += [(name, format_instant(at, terms)) for name, at in dates if at is not None]
    yield pairs(f"Order {found['order']}", [*rows, *((f"sum {name}", amount) for name, amount in sums)])
    lines = (
        (
            line["product"],
            line["category"] or "-",
            line["quantity"],
            *(format_money(line[part], terms) for part in ("gross", "total", "paid")),
        )
        for line in found["lines"]
    )
    columns = ("product", "category", "quantity", "gross", "total", "paid")
    yield grid("Lines", columns, lines, numbers=(2, 3, 4, 5), wraps=(1,))
    if given_back:
        refunds = (
            (
                event.refund if isinstance(event, OrderRefunded) else "cancelled",
                format_instant(event.at, terms),
                sum(line.quantity for line in event.lines),
                format_money(sum(line.paid for line in event.lines), terms),
            )
            for event in given_back
        )
        yield grid("Refunds", ("refund", "at", "units", "amount"), refunds, numbers=(2, 3))
