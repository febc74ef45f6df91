"""``regulars show`` and ``regulars recommend``: one member, product or order, as storefronts see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import click
import msgspec
from rich.console import RenderableType

from aggregates.order.decider import order as order_decider
from aggregates.order.events import Event as OrderEvent
from aggregates.programme import Programme
from infra.settings import from_environment
from streams.cli import console
from streams.cli.console import AS_JSON, grid, pairs, print_json, say
from streams.cli.formatting import format_instant, format_money
from streams.queries import views as reading
from streams.running.app import App, running

COUNTED = {"orders": "orders", "points": "points", "engagement": "points of engagement"}


@click.group()
def show() -> None:
    """Show a member, a product or an order."""


@show.command()
@click.argument("member")
@AS_JSON
def member(member: str, as_json: bool) -> None:
    """Show a member's card, cart, wallet and latest orders."""
    with running(from_environment()) as app:
        found = {part: reading.document(app.views, f"{part}:{member}") for part in ("card", "cart", "wallet", "orders")}
        if not any(found.values()):
            raise click.ClickException(
                f"There is no member {member} in the read models. `regulars doctor` tells whether they are behind."
            )
        if as_json:
            print_json(found)
        else:
            console.show(*member_page(app, found))


def member_page(app: App, found: dict[str, dict[str, Any] | None]) -> Iterator[RenderableType]:
    """Yield the tables of a member: card, cart, wallet and orders, as far as there are any."""
    if found["card"]:
        yield card_page(app, found["card"])
    if cart := found["cart"]:
        items = (
            (i["product"], i["quantity"], format_money(i["price"], app.terms) if i["price"] else "-") for i in cart["items"]
        )
        yield grid("Open cart", ("product", "quantity", "price"), items, numbers=(1, 2))
    if wallet := found["wallet"]:
        entries = (
            (e["campaign"], e["kind"], *(format_instant(e[part], app.terms) for part in ("starts", "ends")), len(e["uses"]))
            for e in wallet["campaigns"].values()
        )
        yield grid("Coupon wallet", ("campaign", "kind", "from", "until", "used"), entries, numbers=(4,), wraps=(1,))
    if orders := found["orders"]:
        latest = (
            (
                o["order"],
                format_instant(o["placed_at"], app.terms),
                o["status"],
                len(o["lines"]),
                format_money(o["total"], app.terms),
            )
            for o in reading.many(app.views, [f"order:{entry['order']}" for entry in orders["orders"][:10]])
        )
        yield grid("Latest orders", ("order", "placed", "status", "lines", "total"), latest, numbers=(3, 4))


def card_page(app: App, card: dict[str, Any]) -> RenderableType:
    """Return a card with the points, the tier and what changes next."""
    terms = app.terms
    profile = ", ".join(f"{name} {value}" for name, value in card["profile"].items())
    changes = [f"{format_instant(a['at'], terms)}: {a['points']} points become spendable" for a in card["activations"]]
    changes += tier_changes(card, terms)
    rows: list[tuple[str, object]] = [
        ("name", card["name"] or "-"),
        ("e-mail", card["email"] or "-"),
        ("profile", profile or "-"),
        ("points", f"{card['points']:,} to spend, {card['pending']:,} pending, {card['debt']:,} owed"),
        ("tier", describe_tier(card, terms)),
        ("benefits", describe_benefits(card["benefits"])),
        ("next", changes or "-"),
        ("as of", f"{format_instant(card['as_of'], terms)} (position {card['position']:,})"),
    ]
    return pairs(f"Member {card['member']} ({card['status']})", rows)


def describe_tier(card: dict[str, Any], terms: Programme) -> str:
    """Return the tier of a card in words: what it is, what is missing to the next one, and the forecast.

    >>> card = {"tier": "silver", "next_tier": "gold", "to_next_tier": 180000, "qualifying": 120000, "metric": "spend"}
    >>> describe_tier(card | {"leaving": 80000, "forecast": None, "override": None, "earned_tier": "silver"}, Programme())
    'silver; 1,800.00 USD to gold (1,200.00 USD count, 800.00 USD of them leave within 30 days)'
    """
    metric = card["metric"]
    ahead = (
        f"{describe_amount(card['to_next_tier'], metric, terms)} to {card['next_tier']}" if card["next_tier"] else "the highest"
    )
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
@AS_JSON
def product(product: str, as_json: bool) -> None:
    """Show a product's page, and what it is bought with."""
    with running(from_environment()) as app:
        found = reading.table(app.views, f"product:{product}")
        also = reading.document(app.views, f"also:{product}")
        if not found:
            raise click.ClickException(f"There is no product {product} in the read models.")
        if as_json:
            print_json({"product": found, "also": also})
            return
        money = {"price"} & found.keys()
        shown = found | {name: format_money(int(found[name]), app.terms) for name in money}
        parts = [pairs(f"Product {product}", shown.items())]
        if also and also["items"]:
            companions = also["items"][:10]
            names = reading.product_names(app.views, [one["product"] for one in companions])
            rows = (
                (number, names[one["product"]], one["together"], f"{one['score']:.1f}", one["product"])
                for number, one in enumerate(companions, 1)
            )
            columns = ("", "product", "baskets", "score", "id")
            parts.append(grid("Often bought with it", columns, rows, numbers=(0, 2, 3), wraps=(1,)))
        console.show(*parts)
        if len(parts) > 1:
            say("score: lift × √baskets, so higher is a stronger pair; it compares within this list")


@show.command()
@click.argument("order")
@AS_JSON
def order(order: str, as_json: bool) -> None:
    """Show an order in full; one older than its member's last 50 is rebuilt from the log."""
    with running(from_environment()) as app:
        found = reading.document(app.views, f"order:{order}")
        if found is None:
            events, version = app.log.read(f"order-{order}")
            if not version:
                raise click.ClickException(f"There is no order {order} in the log.")
            rebuilt = order_decider.rebuild(cast("list[OrderEvent]", events))
            found = msgspec.to_builtins(rebuilt.placed) | {"status": rebuilt.status}
        if as_json:
            print_json(found)
            return
        head = pairs(f"Order {order}", ((name, found[name]) for name in ("member", "status") if name in found))
        rows = (
            (
                line["product"],
                line["category"] or "-",
                line["quantity"],
                *(format_money(line[part], app.terms) for part in ("gross", "total", "paid")),
            )
            for line in found["lines"]
        )
        columns = ("product", "category", "quantity", "gross", "total", "paid")
        console.show(head, grid("Lines", columns, rows, numbers=(2, 3, 4, 5), wraps=(1,)))


@click.command()
@click.argument("member")
@AS_JSON
def recommend(member: str, as_json: bool) -> None:
    """Show what to recommend to a member, best first, and why; what is popular, if the member is unknown."""
    with running(from_environment()) as app:
        found = reading.document(app.views, f"recommend:{member}")
        known = found is not None
        found = found or reading.document(app.views, "popular")
        if found is None:
            raise click.ClickException("Nothing is recommended yet: no order has been learned. `regulars doctor` tells more.")
        if as_json:
            print_json(found)
            return
        title = f"For member {member}" if known else f"Member {member} is new: what is popular"
        console.show(recommendation_table(app, title, found))
        say(SCORES[known])


SCORES = {
    True: "score: the expected share of the member's next basket; it compares within this list",
    False: "score: how much the product sells, as a share of the best seller",
}


def recommendation_table(app: App, title: str, found: dict[str, Any], count: int = 20) -> RenderableType:
    """Return a list of recommendations, numbered in their order."""
    items = found["items"][:count]
    names = reading.product_names(app.views, [item["product"] for item in items])
    rows = (
        (number, names[item["product"]], item["reason"], f"{item['score']:.3f}", item["product"])
        for number, item in enumerate(items, 1)
    )
    return grid(title, ("", "product", "because", "score", "id"), rows, numbers=(0, 3), wraps=(1, 2))
