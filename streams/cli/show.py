"""``regulars show`` and ``regulars recommend``: one member, product or order, as storefronts see them."""

from __future__ import annotations

from typing import Any, cast

import click
import msgspec
import orjson

from aggregates.order.decider import order as order_decider
from aggregates.order.events import Event as OrderEvent
from infra.settings import from_environment
from models.recommender.lists import Variety
from streams.cli.console import OUT, grid, instant, money, pairs
from streams.cli.show_tier import benefits_in_words, tier_changes, tier_in_words
from streams.cli.tick import told
from streams.queries import views as reading
from streams.queries.recommending import recommended
from streams.running.app import App, running

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the read models as JSON.")


@click.group()
def show() -> None:
    """Show a member, a product or an order."""


@show.command()
@click.argument("member")
@AS_JSON
def member(member: str, as_json: bool) -> None:
    """A member's card, cart, wallet and latest orders."""
    with running(from_environment()) as app:
        found = {part: reading.document(app.views, f"{part}:{member}") for part in ("card", "cart", "wallet", "orders")}
        if not any(found.values()):
            raise click.ClickException(
                f"No member {member} in the read models. `regulars doctor` tells whether they are behind."
            )
        if as_json:
            click.echo(orjson.dumps(found))
        else:
            show_member(app, found)


def show_member(app: App, found: dict[str, dict[str, Any] | None]) -> None:
    if found["card"]:
        show_card(app, found["card"])
    if cart := found["cart"]:
        items = ((i["product"], i["quantity"], money(i["price"], app.terms) if i["price"] else "-") for i in cart["items"])
        OUT.print(grid("Open cart", ("product", "quantity", "price"), items, numbers=(1, 2)))
    if wallet := found["wallet"]:
        entries = (
            (e["campaign"], e["kind"], instant(e["starts"], app.terms), instant(e["ends"], app.terms), len(e["uses"]))
            for e in wallet["campaigns"].values()
        )
        OUT.print(grid("Coupon wallet", ("campaign", "kind", "from", "until", "used"), entries, numbers=(4,)))
    if orders := found["orders"]:
        latest = (
            (o["order"], instant(o["placed_at"], app.terms), o["status"], len(o["lines"]), money(o["total"], app.terms))
            for o in reading.many(app.views, [f"order:{entry['order']}" for entry in orders["orders"][:10]])
        )
        OUT.print(grid("Latest orders", ("order", "placed", "status", "lines", "total"), latest, numbers=(3, 4)))


def show_card(app: App, card: dict[str, Any]) -> None:
    terms = app.terms
    profile = ", ".join(f"{name} {value}" for name, value in card["profile"].items())
    changes = [f"{instant(a['at'], terms)}: {a['points']} points become spendable" for a in card["activations"]]
    changes += tier_changes(card, terms)
    told: list[tuple[str, object]] = [
        ("name", card["name"] or "-"),
        ("e-mail", card["email"] or "-"),
        ("profile", profile or "-"),
        ("points", f"{card['points']:,} to spend, {card['pending']:,} pending, {card['debt']:,} owed"),
        ("tier", tier_in_words(card, terms)),
        ("benefits", benefits_in_words(card["benefits"])),
        ("next", "\n".join(changes) or "-"),
        ("as of", f"{instant(card['as_of'], terms)} (position {card['position']:,})"),
    ]
    OUT.print(pairs(f"Member {card['member']} ({card['status']})", told))


@show.command()
@click.argument("product")
@AS_JSON
def product(product: str, as_json: bool) -> None:
    """A product's page, and what it is bought with."""
    with running(from_environment()) as app:
        told = reading.table(app.views, f"product:{product}")
        also = reading.document(app.views, f"also:{product}")
        if not told:
            raise click.ClickException(f"No product {product} in the read models.")
        if as_json:
            click.echo(orjson.dumps({"product": told, "also": also}))
            return
        OUT.print(pairs(f"Product {product}", told.items()))
        if also:
            rows = ((c["product"], c["name"], c["together"], c["score"]) for c in also["items"][:10])
            OUT.print(grid("Often bought with it", ("product", "name", "baskets", "score"), rows, numbers=(2, 3)))


@show.command()
@click.argument("order")
@AS_JSON
def order(order: str, as_json: bool) -> None:
    """An order in full; one older than its member's last 50 is rebuilt from the log."""
    with running(from_environment()) as app:
        found = reading.document(app.views, f"order:{order}")
        if found is None:
            events, version = app.log.read(f"order-{order}")
            if not version:
                raise click.ClickException(f"No order {order} in the log.")
            rebuilt = order_decider.rebuild(cast("list[OrderEvent]", events))
            found = msgspec.to_builtins(rebuilt.placed) | {"status": rebuilt.status}
        if as_json:
            click.echo(orjson.dumps(found))
            return
        told = ((name, found[name]) for name in ("member", "status") if name in found)
        OUT.print(pairs(f"Order {order}", told))
        rows = (
            (
                line["product"],
                line["category"] or "-",
                line["quantity"],
                *(money(line[part], app.terms) for part in ("gross", "total", "paid")),
            )
            for line in found["lines"]
        )
        OUT.print(grid("", ("product", "category", "quantity", "gross", "total", "paid"), rows, numbers=(2, 3, 4, 5)))


@click.command()
@click.argument("member")
@click.option("--at", metavar="TIME", help="When it is shown: ISO 8601. Default: the latest instant in the log.")
@click.option("--diversity", type=float, default=0.0, help="Cost of each earlier product of the same category, such as 0.3.")
@click.option("--novelty", type=float, default=0.0, help="Gain of what is new to the member, such as 1.")
@click.option("--discover", is_flag=True, help="Show only what the member has never bought.")
@AS_JSON
def recommend(member: str, at: str | None, diversity: float, novelty: float, discover: bool, as_json: bool) -> None:
    """Show a member's list as it is now, best first, and why; for an unknown member, what is popular."""
    with running(from_environment()) as app:
        instant_of_list = None if at is None else told(at, app.terms.zone)
        found = recommended(app.views, app.terms, member, Variety(diversity, novelty), instant_of_list)
        known = found is not None
        found = found or reading.document(app.views, "popular")
        if found is None:
            raise click.ClickException("Nothing is recommended yet: no order has been learned. `regulars doctor` tells more.")
        if as_json:
            click.echo(orjson.dumps(found))
        else:
            title = f"For member {member}" if known else f"Member {member} is new: what is popular"
            show_recommendations(title, found, items="discover" if known and discover else "items")


def show_recommendations(title: str, found: dict[str, Any], count: int = 20, items: str = "items") -> None:
    rows = ((i + 1, e["name"], e["reason"], e["score"], e["product"]) for i, e in enumerate(found[items][:count]))
    OUT.print(grid(title, ("", "product", "because", "score", "id"), rows, numbers=(0, 3)))
