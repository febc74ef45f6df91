"""``regulars demo``: eight weeks of real shopping, and what the system made of them, on one page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import click

from infra.redis.address import shown
from infra.settings import from_environment
from streams.cli.console import ERR, OUT, grid, money
from streams.cli.import_ import Imported, import_complete_journey
from streams.cli.show import show_card, show_recommendations
from streams.imports.complete_journey import FIRST_DAY, SECOND_WEEK, SHOP
from streams.queries import views as reading
from streams.running.app import App, redis_url, running

WORTH_SHOWING = 10
"""Baskets together that make a pair worth a line of the demo; lists are content with fewer."""

CALLED = {
    "regulars": "Regulars",
    "personal": "member's own most frequent",
    "decayed": "180-day decay × return rate",
    "popular": "most popular",
}
"""Our list and the plain ones it is held against, each filled up; `regulars quality` has the sources of ours, too."""

SCOPES = {"all": "all", "no-staples": "no staples", "first": "first baskets"}


@click.command()
@click.option("--weeks", type=click.IntRange(1, 53), default=8, show_default=True, help="How much of the year.")
def demo(weeks: int) -> None:
    """Import some weeks of Complete Journey and show what came of them."""
    with running(from_environment(), SHOP) as app:
        imported = import_complete_journey(app, weeks, ERR)
        show_page(app, imported, weeks)


def show_page(app: App, imported: Imported, weeks: int) -> None:
    OUT.rule("[bold]Regulars: what went in")
    show_input(app, imported)
    OUT.rule("[bold]Membership")
    cards = list(reading.documents(app.views, "card"))
    show_tiers(app, cards)
    OUT.rule("[bold]Recommendations, tested on every basket before it was learned")
    show_quality(app, weeks)
    show_strongest_pairs(app)
    chosen = max(cards, key=lambda card: (card["points"], card["member"]))
    OUT.rule(f"[bold]One member: {chosen['member']}")
    show_card(app, chosen)
    if found := reading.document(app.views, f"recommend:{chosen['member']}"):
        OUT.print()
        show_recommendations("What their storefront shows", found, count=12)
    OUT.rule("[bold]What a storefront sends to Redis")
    show_commands(app, chosen["member"], found)
    OUT.rule("[bold]What to do next")
    show_next(chosen["member"])


def show_input(app: App, imported: Imported) -> None:
    sold = reading.sales_totals(app.views)
    rate = f", {imported.events / imported.seconds:,.0f} events/s" if imported.events else " (all known before)"
    OUT.print(f"{imported.events:,} events from {imported.requests:,} requests in {imported.seconds:.1f} s{rate}")
    OUT.print(
        f"{sold['members']:,} members, {sold['orders']:,} orders, {sold['lines']:,} lines, "
        f"{money(sold['total'], app.terms)} of sales (after {money(sold['discount'], app.terms)} of discounts)"
    )


def show_tiers(app: App, cards: list[dict[str, Any]]) -> None:
    tiers = Counter(card["tier"] for card in cards)
    points: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    for card in cards:
        points[card["tier"]] += card["points"]
        pending[card["tier"]] += card["pending"]
    names = [app.terms.name(rank) for rank in range(len(app.terms.tiers) + 1)]
    rows = ((name, f"{tiers[name]:,}", f"{points[name]:,}", f"{pending[name]:,}") for name in names)
    OUT.print(grid("", ("tier", "members", "points to spend", "points pending"), rows, numbers=(1, 2, 3)))


def show_quality(app: App, weeks: int) -> None:
    """From the third week on, when the first lists have been learned; from the first day, if there is no more."""
    since = (SECOND_WEEK + timedelta(weeks=1) if weeks > 2 else FIRST_DAY).isoformat()
    rows = [
        (CALLED[name], SCOPES[scope], f"{q.baskets:,}", f"{q.recall:.3f}", f"{q.ndcg:.3f}", *gain_in_words(name, q))
        for (scope, name), q in reading.quality(app.views, since).items()
        if name in CALLED and scope in SCOPES
    ]
    OUT.print(
        grid(
            f"Since {date.fromisoformat(since):%d %B %Y}, each member's list against their next basket",
            ("list", "products", "baskets", "recall@10", "NDCG@10", "recall: ours more"),
            rows,
            numbers=(2, 3, 4, 5),
        )
    )
    OUT.print("[dim]no staples: without fuel, which members buy whatever one shows them; ±: the paired standard error.[/dim]")


def gain_in_words(name: str, q: reading.ListQuality) -> tuple[str]:
    return ("" if name == "regulars" else f"{q.recall_gain:+.3f} ± {q.recall_se:.3f}",)


def show_strongest_pairs(app: App) -> None:
    rows = [
        (f"{score:,.1f}", together, left, right) for score, together, left, right in sorted(strongest(app), reverse=True)[:8]
    ]
    OUT.print(grid("Strongest pairs (lift × √baskets)", ("score", "baskets", "", "with"), rows, numbers=(0, 1)))


def strongest(app: App) -> Iterator[tuple[float, int, str, str]]:
    names = {key: json.loads(text)[-1] for key, text in reading.table(app.views, "items:names").items()}
    for also in reading.documents(app.views, "also"):
        name = names.get(also["product"]) or also["product"]
        for companion in also["items"]:
            often = companion["together"] >= WORTH_SHOWING
            if often and name < companion["name"]:  # once, not from both ends; two packs of one thing are no news
                yield companion["score"], companion["together"], name, companion["name"]


def show_commands(app: App, member: str, found: dict[str, Any] | None) -> None:
    url = shown(redis_url(app.settings))
    OUT.print(f"[dim]at {url}; `regulars redis …` sends any of them[/dim]")
    latest = found["items"][0]["product"] if found and found["items"] else "PRODUCT"
    version = app.views.version
    for command in (
        "GET regulars:version",
        f"GET {version}:card:{member}",
        f"GET {version}:recommend:{member}",
        f"GET {version}:orders:{member}",
        f"GET {version}:also:{latest}",
        f"HGETALL {version}:product:{latest}",
        f"GET {version}:popular",
    ):
        OUT.print(f"  {command}")


def show_next(member: str) -> None:
    for command, what in (
        (f"regulars show member {member}", "the card, the cart, the wallet, the orders"),
        (f"regulars recommend {member}", "the whole list, with reasons"),
        (f"regulars trace {member}", "its events, as they are in the log"),
        ("regulars quality", "its lists against each other, by source and period"),
        ("regulars doctor", "what runs where, and how far it has come"),
        ("regulars digest", "a line a fold, to compare two runs"),
        ("regulars import complete-journey", "the rest of the year (some minutes)"),
        ("regulars stop", "stop the embedded Redis; the data stays"),
    ):
        OUT.print(f"  {command:<36} [dim]{what}[/dim]")
