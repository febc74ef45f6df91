"""A shop with planted structure, of any number of members: who buys what again, and where a visit goes next.

Members have usual products that they buy with a rhythm of their own, and now and then something popular. Visits walk along
chains of products, forward more often than back, leap to what is popular, and come back to what they have seen. The order of a
chain turns round halfway, and new products come all the time. One session in two hundred is a bot that looks at anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random

from aggregates.behaviour import Viewed
from aggregates.order.events import OrderLine, OrderPaid

BEGAN = 1_700_000_000_000
MINUTE, DAY = 60_000, 86_400_000
CHAIN = 12
"""Products of a chain."""


def baskets(members: int, days: int, products: int, seed: int = 1) -> Iterator[OrderPaid]:
    """Yield the orders of all members, in order of time. A member buys every 4 to 24 days."""
    random = Random(seed)
    due: list[tuple[float, int]] = []
    pace = [random.uniform(4, 24) for _ in range(members)]
    for member in range(members):
        heappush(due, (random.uniform(0, pace[member]), member))
    number = 0
    while due:
        day, member = heappop(due)
        if day >= days:
            continue
        usual = Random(member)
        staples = [popular(usual, products) for _ in range(25)]
        chosen = dict.fromkeys(product for place, product in enumerate(staples) if random.random() < 0.5 / (1 + place / 4))
        chosen.update(dict.fromkeys(popular(random, products) for _ in range(random.randint(1, 3))))
        number += 1
        lines = tuple(OrderLine(product=p, quantity=1, gross=100, total=100, paid=100) for p in chosen)
        at = BEGAN + int(day * DAY)
        member_id = f"m{member}"
        yield OrderPaid(
            order=f"o{number}", member=member_id, session=None, currency="USD", lines=lines, net=100 * len(lines), at=at
        )
        heappush(due, (day + random.uniform(0.5, 1.5) * pace[member], member))


def views(looks: int, products: int, seed: int = 1, apart: int = 2_000) -> Iterator[Viewed]:
    """Yield looks of guests, forty visits at the same time, ``apart`` milliseconds from look to look."""
    random = Random(seed)
    open_visits: list[tuple[str, list[int], int]] = []
    sessions = 0
    for n in range(looks):
        if len(open_visits) < 40:
            length = 200 if random.random() < 0.005 else 2 + int(random.expovariate(1 / 4))
            open_visits.append((f"s{sessions}", [], length))
            sessions += 1
        at = random.randrange(len(open_visits))
        session, seen, left = open_visits[at]
        newest = min(products, products // 2 + products * n // (2 * looks) + 1)
        product = next_product(random, seen, newest, forward=n < looks // 2, bot=left > 100)
        seen.append(product)
        yield Viewed(product=f"p{product}", member=None, session=session, at=BEGAN + n * apart, slot=None, place=None)
        open_visits[at] = (session, seen, left - 1)
        if left <= 1:
            del open_visits[at]


def next_product(random: Random, seen: list[int], newest: int, forward: bool, bot: bool) -> int:
    """Return where a visit goes next. ``newest``: products that there are by now."""
    chance = random.random()
    if bot or not seen or chance < 0.2:
        return int(newest * (random.random() if bot else random.random() ** 3))
    if chance < 0.4:
        return random.choice(seen)
    start = seen[-1] - seen[-1] % CHAIN
    step = random.choice((1, 1, 1, 2, 3, -1)) * (1 if forward else -1)
    return min(start + (seen[-1] - start + step) % CHAIN, newest - 1)


def popular(random: Random, products: int) -> str:
    return f"p{int(products * random.random() ** 3)}"
