"""``regulars recommend``: what to show a member, as of now or of any moment of the log."""

from __future__ import annotations

from typing import Any

import click
from rich.console import RenderableType

from infra.settings import from_environment
from models.learner import Learner
from models.recommender.lists import Variety
from streams.cli.at import AT, read_place, say_place
from streams.cli.console import AS_JSON, CommandFailed, grid, print_json, say, show_parts
from streams.cli.progress import progress
from streams.queries import views as reading
from streams.queries.clock import clock_of
from streams.queries.recommending import recommended, with_lists
from streams.replay.in_memory import LearnerInMemory
from streams.replay.past.places import Place
from streams.replay.past.read_models import Past
from streams.running.app import App, running


@click.command()
@click.argument("member")
@AT
@click.option("--diversity", type=float, default=0.0, help="Cost of each earlier product of the same category, such as 0.3.")
@click.option("--novelty", type=float, default=0.0, help="Gain of what is new to the member, such as 1.")
@click.option("--discover", is_flag=True, help="Show only what the member has never bought.")
@AS_JSON
def recommend(member: str, wanted_at: str | None, diversity: float, novelty: float, discover: bool, as_json: bool) -> None:
    """Show what to recommend to a member, best first, and why; what is popular, if the member is unknown.

    With --at, by what had been learned until then, for that moment: the learner folds the log up to it, which takes some time.
    From the shop's clock on, it is the learner of now.
    """
    with running(from_environment()) as app:
        place = None if wanted_at is None else read_place(app.log, app.terms, wanted_at)
        found, popular = recommended_at(app, member, Variety(diversity, novelty), place)
        known = found is not None
        found = found or popular
        if found is None:
            raise CommandFailed("Nothing is recommended yet: no order has been learned. `regulars doctor` tells more.")
        if as_json:
            print_json(found | ({"place": place.document()} if place else {}))
            return
        if place:
            say_place(place, app.terms)
        title = f"For member {member}" if known else f"Member {member} is new: what is popular"
        items = found["discover"] if known and discover else found["items"]
        show_parts(recommendation_table(app, title, {"items": items}))
        say(SCORES[known])


def recommended_at(
    app: App, member: str, variety: Variety, place: Place | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return a member's list and the popular products, as of now or of a place in the log; None for what there is none of."""
    if place is None or place.position == app.log.head():
        now = clock_of(app)() if place is None else place.instant
        return recommended(app.views, app.terms, member, variety, now), reading.document(app.views, "popular")
    with progress(transient=True) as bars:
        task = bars.add("learning", place.position)
        past = Past(app.log, [Learner], app.terms.zone).to(place.position, lambda reached: bars.update(task, reached))
    held, stored = past.folds[Learner.name].held, past.fields(f"recommend:{member}")
    found = None
    if stored is not None and isinstance(held, LearnerInMemory):
        while needed := held.learner.needs_of_list(member):
            held.restore(needed)
        found = with_lists(stored, held.learner, member, variety, place.instant)
    return found, past.fields("popular")


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
