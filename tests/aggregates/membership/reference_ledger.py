"""A slow and obvious ledger: every single point is an object, and every point has a place. What the real one is held against.

Times are whole days here, counted from 0, but for holds, which end in the middle of one. ``ends``: the first day on which a
point is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aggregates.value import replace

NEVER = 10**9


@dataclass
class Point:
    """``place``: pending, active, held, spent, lapsed, clawed, paid (a debt), gone (to another member)."""

    lot: str
    made: float
    place: str
    active_from: float = NEVER
    ends: float = NEVER
    use: str = ""


@dataclass
class Reference:
    """``wait``: days from delivery to activation, ``life``: days of validity from activation, both whole."""

    wait: int
    life: int | None
    grace: int
    points: list[Point] = field(default_factory=list)
    debt: int = 0
    holds: dict[str, float] = field(default_factory=dict)
    now: float = 0
    uses: int = 0

    def copy(self) -> Reference:
        points = [replace(point) for point in self.points]
        return replace(self, points=points, holds=dict(self.holds))

    def ends(self, day: float, life: int | None) -> float:
        """The end of the day so many later."""
        return NEVER if life is None else int(day) + life + 1

    def advance(self, now: float) -> None:
        """Walk through time, one instant at which anything happens after the other."""
        while True:
            moments = [point.active_from for point in self.points if point.place == "pending"]
            moments += [point.ends for point in self.points if point.place in ("active", "pending")]
            moments += list(self.holds.values())
            later = [max(moment, self.now) for moment in moments if moment <= now]
            if not later:
                break
            self.now = min(later)
            self.happen()
        self.now = max(self.now, now)

    def happen(self) -> None:
        for name in [name for name, until in self.holds.items() if until <= self.now]:
            self.let_go(name, None)
        for point in self.points:
            if point.place == "pending" and point.active_from <= self.now:
                point.place = "active"
        for point in self.points:
            if point.place == "active" and point.ends <= self.now:
                point.place = "lapsed"
        for point in self.in_order("active"):
            if self.debt:
                point.place, self.debt = "paid", self.debt - 1

    def in_order(self, place: str) -> list[Point]:
        chosen = [point for point in self.points if point.place == place]
        return sorted(chosen, key=lambda point: (point.ends, point.active_from, point.made, point.lot))

    def count(self, place: str) -> int:
        return sum(point.place == place for point in self.points)

    # What happens

    def grant(self, lot: str, points: int) -> None:
        self.points += [Point(lot, self.now, "pending") for _ in range(points)]

    def deliver(self, lot: str) -> None:
        for point in self.points:
            if point.lot == lot:
                point.active_from = self.now + self.wait
                point.ends = self.ends(point.active_from, self.life)
        self.happen()

    def spend(self, use: str, points: int) -> bool:
        return self.take(points, "spent", use)

    def hold(self, name: str, points: int, until: float) -> bool:
        if not self.take(points, "held", name):
            return False
        self.holds[name] = until
        return True

    def take(self, points: int, place: str, use: str = "") -> bool:
        active = self.in_order("active")
        if len(active) < points:
            return False
        for point in active[:points]:
            point.place, point.use = place, use
        return True

    def capture(self, name: str) -> None:
        del self.holds[name]
        for point in self.points:
            if point.place == "held" and point.use == name:
                point.place = "spent"

    def release(self, name: str, days_of_grace: int | None = None) -> None:
        self.let_go(name, days_of_grace)
        self.happen()

    def let_go(self, name: str, days_of_grace: int | None) -> None:
        del self.holds[name]
        for point in [point for point in self.points if point.place == "held" and point.use == name]:
            point.place = "active"
            if days_of_grace is not None and point.ends <= self.ends(self.now, days_of_grace):
                self.anew(point, self.ends(self.now, days_of_grace), f"{point.lot}+{name}")
            elif point.ends <= self.now:
                point.place = "lapsed"

    def give_back(self, use: str, points: int, name: str) -> None:
        """What was to expire last first; what is over by now lives on for the days of grace."""
        spent = [point for point in self.in_order("spent") if point.use == use]
        for point in spent[::-1][:points]:
            point.place, point.use = "active", ""
            if point.ends <= self.now:
                self.anew(point, self.ends(self.now, self.grace), f"{point.lot}+{name}")
        self.happen()

    def anew(self, point: Point, ends: float, lot: str) -> None:
        """The point goes on in a lot of its own, and counts for its old one no more."""
        point.place, point.ends, point.lot, point.made, point.active_from = "active", ends, lot, self.now, self.now

    def claw(self, lot: str, points: int, own: Iterable[str]) -> None:
        """From those of the lot that lapsed, then those left of it, then others, then as a debt."""
        for place in ("lapsed", "pending", "active"):
            mine = [point for point in self.in_order(place) if point.lot == lot and lot in own]
            for point in mine[:points]:
                point.place, points = "clawed", points - 1
        for point in self.in_order("active")[:points]:
            point.place, points = "clawed", points - 1
        self.debt += points
        self.happen()

    def adjust(self, lot: str, points: int) -> bool:
        if points < 0:
            return self.take(-points, "clawed")
        self.points += [Point(lot, self.now, "active", self.now, self.ends(self.now, self.life)) for _ in range(points)]
        self.happen()
        return True

    def reinstate(self, lot: str, name: str) -> None:
        for point in self.points:
            if point.lot == lot and point.place == "lapsed":
                self.anew(point, self.ends(self.now, self.grace), name)
        self.happen()

    def lots(self, accept: Callable[[Point], bool]) -> list[str]:
        return sorted({point.lot for point in self.points if accept(point)})
