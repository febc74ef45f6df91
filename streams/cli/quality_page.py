"""The quality of the lists as a page that stands alone: two charts and a table, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from models.evaluation.quality import LISTS
from streams.queries.views import Qualities, VisitQuality

WIDTH, HEIGHT, LEFT, BELOW = 860, 300, 50, 40
COLOURS = dict(zip(LISTS, ("#0b6e4f", "#3a86c8", "#9b5de5", "#f0a202", "#5c677d", "#d1495b", "#b0b7c3"), strict=True))
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:900px;color:#1d2433}table{border-collapse:collapse}"
    "td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #e3e6ec}td:first-child,th:first-child{text-align:left}"
)


def page(found: Sequence[tuple[str, Qualities]], alarms: Sequence[dict[str, Any]], visits: Mapping[str, VisitQuality]) -> str:
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Recommendations: quality</title><style>{STYLE}</style>"
    ]
    parts.append(
        "<h1>How good the recommendations have been</h1><p>Recall@10: the share of a basket that was among the first ten "
    )
    parts.append("products of the list at that moment. Each basket is tested before it is learned.</p>")
    titles = (("all", "All products"), ("no-staples", "Without staples"), ("first", "First baskets of members alone"))
    for scope, title in titles:
        told = [(period, quality) for period, quality in found if (scope, "regulars") in quality]
        parts += [f"<h2>{title}</h2>", chart(told, scope), table(told, scope)]
    if visits:
        parts.append("<h2>Visits: the product that is looked at next</h2>" + table_of_visits(visits))
    parts.append("<h2>Alarms</h2>")
    parts += [f"<p>{escape(str(a['day']))}: from {a['before']:.4f} to {a['after']:.4f}</p>" for a in alarms] or ["<p>None.</p>"]
    return "".join([*parts, "</html>\n"])


def chart(told: Sequence[tuple[str, Qualities]], scope: str) -> str:
    """Lines over the periods, from nothing up to the highest value."""
    top = max((quality[scope, name].recall for _, quality in told for name in LISTS), default=0.0) or 1.0
    across, up = WIDTH - LEFT - 10, HEIGHT - BELOW - 10

    def place(n: int, value: float) -> str:
        return f"{LEFT + across * (n / max(1, len(told) - 1)):.1f},{10 + up * (1 - value / top):.1f}"

    drawn = [f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='recall@10 over time'>"]
    for step in range(5):
        value, y = top * step / 4, 10 + up * (1 - step / 4)
        drawn.append(f"<path d='M{LEFT} {y:.1f}H{WIDTH - 10}' stroke='#e3e6ec'/>")
        drawn.append(f"<text x='4' y='{y + 4:.1f}' font-size='12'>{value:.3f}</text>")
    for name in LISTS:
        points = " ".join(place(n, quality[scope, name].recall) for n, (_, quality) in enumerate(told))
        drawn.append(f"<polyline points='{points}' fill='none' stroke='{COLOURS[name]}' stroke-width='2'/>")
    for n, name in enumerate(LISTS):
        x = LEFT + n * 115
        drawn.append(f"<rect x='{x}' y='{HEIGHT - 14}' width='10' height='10' fill='{COLOURS[name]}'/>")
        drawn.append(f"<text x='{x + 15}' y='{HEIGHT - 5}' font-size='12'>{name}</text>")
    return "".join([*drawn, "</svg>"])


def table(told: Sequence[tuple[str, Qualities]], scope: str) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("", "baskets", *LISTS))
    rows = "".join(
        f"<tr><td>{escape(period)}</td><td>{quality[scope, 'regulars'].baskets:,}</td>"
        + "".join(f"<td>{quality[scope, name].recall:.4f}</td>" for name in LISTS)
        + "</tr>"
        for period, quality in told
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def table_of_visits(visits: Mapping[str, VisitQuality]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("", "looks", "HR@20", "MRR@20", "MRR: ours more"))
    rows = "".join(
        f"<tr><td>{name}</td><td>{q.acts:,}</td><td>{q.hit_rate:.4f}</td><td>{q.mrr:.4f}</td>"
        f"<td>{q.mrr_gain:+.4f} ± {q.mrr_se:.4f}</td></tr>"
        for name, q in visits.items()
    )
    return f"<table><tr>{head}</tr>{rows}</table>"
