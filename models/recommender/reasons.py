"""Why a product is on a list, in words a shopper would use."""

from __future__ import annotations

from models.recommender.habits import Habit

DAY = 86_400_000


def bought_before(habit: Habit) -> str:
    """
    >>> bought_before(Habit(times=4, weight=1.0, recent=0.0, small=0.0, first=0, last=63 * DAY, seen=9))
    'You buy this about every 3 weeks'
    >>> bought_before(Habit(times=1, weight=1.0, recent=0.0, small=0.0, first=0, last=0, seen=1))
    'You bought this before'
    """
    if habit.times < 2:
        return "You bought this before"
    if habit.times < 3:
        return "You bought this twice"
    return f"You buy this {rhythm((habit.last - habit.first) / (habit.times - 1) / DAY)}"


def rhythm(days: float) -> str:
    """
    >>> rhythm(1.2), rhythm(4.4), rhythm(7.3), rhythm(30), rhythm(100)
    ('almost every day', 'about every 4 days', 'about every week', 'about every 4 weeks', 'about every 3 months')
    """
    if days < 1.5:
        return "almost every day"
    if days < 6.5:
        return f"about every {round(days)} days"
    if days < 59.5:
        weeks = round(days / 7)
        return "about every week" if weeks == 1 else f"about every {weeks} weeks"
    return f"about every {round(days / 30.4)} months"


def bought_with(name: str) -> str:
    return f"Often bought with {name}"


def popular_in(department: str) -> str:
    return f"Popular in {department}" if department else "Popular right now"


def looked_at() -> str:
    return "You looked at this"


def seen_after(name: str) -> str:
    return f"Shoppers who looked at {name} went on to this"
