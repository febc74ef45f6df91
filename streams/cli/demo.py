"""``regulars demo``: eight weeks of real shopping and their results, on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import click
from rich.rule import Rule
from rich.text import Text

from infra.redis.address import shown
from infra.settings import from_environment
from streams.cli.console import AS_JSON, OUT, grid, print_json
from streams.cli.formatting import format_instant, format_money
from streams.cli.import_ import Imported, import_complete_journey
from streams.cli.recommend import SCORES, recommendation_table
from streams.cli.show import card_page
from streams.imports.complete_journey import FIRST_DAY, SECOND_WEEK, SHOP
from streams.queries import views as reading
from streams.queries.clock import clock_of
from streams.queries.members import card_at
from streams.running.app import App, redis_url, running

LEAST_TOGETHER = 10
"""Baskets together that make a pair worth a line of the demo; lists are content with fewer."""

CALLED = {
    "regulars": "Regulars",
    "personal": "member's own most frequent",
    "decayed": "180-day decay × return rate",
    "popular": "most popular",
}
"""Our list and the plain ones it is compared with, each filled up; `regulars quality` also has the sources of ours."""

SCOPES = {"all": "all", "no-staples": "no staples", "first": "first baskets"}

WIDEST = 100
"""Columns of a heading."""

QUALITY_NOTES = (
    "recall@10: the share of a basket that was among the first ten of the list of that moment",
    "ours more: on the same baskets, ± the paired standard error",
    "no staples: without fuel, which members buy whatever they are shown; first baskets: those of new members alone",
)


@click.command()
@click.option("--weeks", type=click.IntRange(1, 53), default=8, show_default=True, help="How much of the year.")
@AS_JSON
def demo(weeks: int, as_json: bool) -> None:
    """Import some weeks of Complete Journey and show what came of them."""
    with running(from_environment(), SHOP) as app:
        imported = import_complete_journey(app, weeks)
        if as_json:
            print_json(page_document(app, imported, weeks))
        else:
            show_page(app, imported, weeks)


def page_document(app: App, imported: Imported, weeks: int) -> dict[str, Any]:
    """Return the figures of the page as ``--json`` prints them."""
    cards = list(reading.documents(app.views, "card"))
    return {
        "imported": imported,
        "sales": reading.sales_totals(app.views),
        "tiers": Counter(card["tier"] for card in cards),
        "quality": [
            {"list": name, "products": scope, **vars(q)}
            for (scope, name), q in reading.quality(app.views, first_day(weeks)).items()
        ],
        "member": best_member(cards)["member"],
    }


def best_member(cards: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the card with the most points."""
    return max(cards, key=lambda card: (card["points"], card["member"]))


def show_page(app: App, imported: Imported, weeks: int) -> None:
    """Print the whole page."""
    heading("Regulars: what went in")
    show_input(app, imported)
    heading("Membership")
    now = clock_of(app)()
    cards = [card_at(card, now) for card in reading.documents(app.views, "card")]
    show_tiers(app, cards, now)
    heading("Recommendations, tested on every basket before it was learned")
    show_quality(app, weeks)
    show_strongest_pairs(app)
    chosen = best_member(cards)
    heading(f"One member: {chosen['member']}")
    OUT.print(card_page(app, chosen))
    if found := reading.document(app.views, f"recommend:{chosen['member']}"):
        OUT.print()
        OUT.print(recommendation_table(app, "What their storefront shows", found, count=12))
        OUT.print(SCORES[True], style="dim")
    heading("What a storefront sends to Redis")
    show_commands(app, chosen["member"], found)
    heading("What to do next")
    show_next(chosen["member"])


def heading(title: str) -> None:
    OUT.print()
    OUT.print(Rule(Text(title, "bold")), width=min(OUT.width, WIDEST))


def show_input(app: App, imported: Imported) -> None:
    """Print how much was imported, and what was sold."""
    sold = reading.sales_totals(app.views)
    rate = f", {imported.events / imported.seconds:,.0f} events/s" if imported.events else " (all known before)"
    OUT.print(f"{imported.events:,} events from {imported.requests:,} requests in {imported.seconds:.1f} s{rate}")
    OUT.print(
        f"{sold['members']:,} members, {sold['orders']:,} orders, {sold['lines']:,} lines, "
        f"{format_money(sold['total'], app.terms)} of sales (after {format_money(sold['discount'], app.terms)} of discounts)"
    )


def show_tiers(app: App, cards: list[dict[str, Any]], now: int) -> None:
    """Print how many members each tier has, and how many points."""
    tiers = Counter(card["tier"] for card in cards)
    points: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    for card in cards:
        points[card["tier"]] += card["points"]
        pending[card["tier"]] += card["pending"]
    names = [app.terms.name(rank) for rank in range(len(app.terms.tiers) + 1)]
    rows = ((name, f"{tiers[name]:,}", f"{points[name]:,}", f"{pending[name]:,}") for name in names)
    title = f"As of {format_instant(now, app.terms)}"
    OUT.print(grid(title, ("tier", "members", "points to spend", "points pending"), rows, numbers=(1, 2, 3)))


def first_day(weeks: int) -> str:
    """Return the first day whose baskets count: from the third week on, when the first lists have been learned."""
    return (SECOND_WEEK + timedelta(weeks=1) if weeks > 2 else FIRST_DAY).isoformat()


def show_quality(app: App, weeks: int) -> None:
    """Print how good the lists are beside plain ones."""
    since = first_day(weeks)
    rows = [
        (CALLED[name], SCOPES[scope], f"{q.baskets:,}", f"{q.recall:.3f}", f"{q.ndcg:.3f}", ours_more(name, q))
        for (scope, name), q in reading.quality(app.views, since).items()
        if name in CALLED and scope in SCOPES
    ]
    title = f"Since {date.fromisoformat(since):%d %B %Y}, each member's list against their next basket"
    columns = ("list", "products", "baskets", "recall@10", "NDCG@10", "ours more")
    OUT.print(grid(title, columns, rows, numbers=(2, 3, 4, 5), wraps=(0,)))
    for note in QUALITY_NOTES:
        OUT.print(note, style="dim")


def ours_more(name: str, q: reading.ListQuality) -> str:
    """Return what our list has more recall than another one."""
    return "" if name == "regulars" else f"{q.recall_gain:+.3f} ± {q.recall_se:.3f}"


def show_strongest_pairs(app: App) -> None:
    """Print the eight strongest pairs of products."""
    pairs = sorted(strongest_pairs(app), reverse=True)[:8]
    names = reading.product_names(app.views, [product for *_, left, right in pairs for product in (left, right)])
    rows = (
        (number, names[left], names[right], together, f"{score:,.1f}")
        for number, (score, together, left, right) in enumerate(pairs, 1)
    )
    OUT.print()
    OUT.print(
        grid("Strongest pairs", ("", "product", "bought with", "baskets", "score"), rows, numbers=(0, 3, 4), wraps=(1, 2))
    )
    OUT.print("score: lift × √baskets, so higher is a stronger pair", style="dim")


def strongest_pairs(app: App) -> Iterator[tuple[float, int, str, str]]:
    """Yield score, baskets together and the two products of each pair, once, without two packs of one thing."""
    also = list(reading.documents(app.views, "also"))
    names = {one["product"]: one["name"] for document in also for one in document["items"]}
    for document in also:
        product = document["product"]
        for companion in document["items"]:
            often = companion["together"] >= LEAST_TOGETHER
            if often and names.get(product, product) < companion["name"]:
                yield companion["score"], companion["together"], product, companion["product"]


def show_commands(app: App, member: str, found: dict[str, Any] | None) -> None:
    """Print the Redis commands that read what the page shows."""
    url = shown(redis_url(app.settings))
    OUT.print(f"at {url}; `regulars redis …` sends any of them", style="dim", soft_wrap=True)
    latest = found["items"][0]["product"] if found and found["items"] else "PRODUCT"
    key = app.views.key
    for command in (
        "GET regulars:version",
        f"GET {key(f'card:{member}')}",
        f"GET {key(f'recommend:{member}')}",
        f"GET {key(f'orders:{member}')}",
        f"GET {key(f'also:{latest}')}",
        f"HGETALL {key(f'product:{latest}')}",
        f"GET {key('popular')}",
    ):
        OUT.print(f"  {command}")


def show_next(member: str) -> None:
    """Print commands to go on with."""
    for command, what in (
        (f"regulars show member {member}", "card, cart, coupons and orders"),
        (f"regulars recommend {member}", "the whole list, with reasons"),
        (f"regulars trace {member}", "its events, as they are in the log"),
        ("regulars quality", "the lists compared, by source and period"),
        ("regulars doctor", "what runs where, and how far it has come"),
        ("regulars digest", "a line a fold, to compare two runs"),
        ("regulars import complete-journey", "the rest of the year (some minutes)"),
        ("regulars stop", "stop the embedded Redis; the data stays"),
    ):
        OUT.print(Text(f"  {command:<36} ") + Text(what, "dim"))
