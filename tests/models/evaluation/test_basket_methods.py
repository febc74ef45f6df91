"""Each method for baskets against a slow, obvious reference, on baskets small enough to follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import sqrt
from random import Random

import numpy as np
import pytest

from models.evaluation.baselines.counting import (
    PSEUDO_BUYERS,
    FadingReturn,
    GlobalTop,
    PersonalTop,
    RecentTop,
    Trex,
)
from models.evaluation.baselines.factors import Factors
from models.evaluation.baselines.history import History
from models.evaluation.baselines.items_alike import ItemKnn, TrexWithCart
from models.evaluation.baselines.members_alike import TifuKnn, UpCf
from models.evaluation.baselines.method import BasketMethod
from models.evaluation.cases import Case, Setting, plan_of_baskets
from models.evaluation.facts import Baskets
from models.evaluation.running import run_baskets
from tests.models.evaluation.given import NoMeter, baskets, paid

DAY = 86_400_000
ROUNDS = {"als": 50, "bpr": 1000}  # so few baskets and visits need many
Known = dict[int, list[list[int]]]
"""The baskets of each member that may be learned from, in their order; -1 are the guests'."""


@pytest.fixture(scope="module")
def shop() -> Baskets:
    random = Random(3)
    events = [
        paid(f"o{n}", random.choice(["ann", "bob", "cid", "dan", "eve", None]), *random.sample("abcdefghij", 3), at=n * DAY)
        for n in range(60)
    ]
    return baskets(events)


@pytest.fixture(scope="module")
def cases(shop: Baskets) -> list[Case]:
    return plan_of_baskets(shop, Setting("last-basket")).cases


def known(shop: Baskets, cases: list[Case]) -> Known:
    held = {case.index for case in cases}
    told: Known = {}
    for n in range(len(shop)):
        if n not in held:
            told.setdefault(int(shop.member[n]), []).append(shop.of(n).tolist())
    return told


def history(shop: Baskets, cases: list[Case]) -> History:
    held = {case.index for case in cases}
    return History(shop, np.array([n for n in range(len(shop)) if n not in held]), now=0)


def check(method: BasketMethod, shop: Baskets, cases: list[Case], expected: Callable[[Case, int], float]) -> None:
    """Compare every score of every case."""
    past = history(shop, cases)
    method.fit(past)
    assert len(cases) == 5
    for case in cases:
        scores = method.scores(case, past, past.popularity)
        wanted = [expected(case, product) for product in range(len(shop.products))]
        assert scores == pytest.approx(wanted), case.name
        assert max(wanted) > 0


def test_counts_are_of_the_shop_and_of_the_member(shop: Baskets, cases: list[Case]) -> None:
    told = known(shop, cases)
    everybody = Counter(product for member in told.values() for basket in member for product in basket)
    check(GlobalTop(), shop, cases, lambda _, product: everybody[product])
    check(PersonalTop(), shop, cases, lambda case, product: sum(product in basket for basket in told[case.owner]))


def test_personal_counts_with_equal_values_go_by_the_last_purchase(shop: Baskets, cases: list[Case]) -> None:
    told = known(shop, cases)

    def expected(case: Case, product: int) -> float:
        mine = told[case.owner]
        last = max((place for place, basket in enumerate(mine, 1) if product in basket), default=0)
        return sum(product in basket for basket in mine) + last / (len(mine) + 1)

    check(RecentTop(), shop, cases, expected)


def test_purchases_fade_by_days_and_count_by_how_surely_buyers_come_back(shop: Baskets, cases: list[Case]) -> None:
    times = [
        Counter(product for basket in mine for product in basket) for member, mine in known(shop, cases).items() if member >= 0
    ]
    buyers = Counter(product for one in times for product in one)
    returns = Counter({product: sum(max(0, one[product] - 1) for one in times) for product in buyers})
    mean = (returns.total() + 1) / (buyers.total() + 1)

    def expected(case: Case, product: int) -> float:
        rate = (returns[product] + PSEUDO_BUYERS * mean) / (buyers[product] + PSEUDO_BUYERS)
        mine = [basket for basket in case.earlier.tolist() if product in shop.of(basket)]
        return float(sum(0.5 ** ((case.at - shop.at[basket]) / DAY / 180) for basket in mine) * rate**0.4)

    check(FadingReturn(180, 0.4), shop, cases, expected)


def trex(told: Known, case: Case, product: int, alpha: float, beta: float) -> float:
    times = [Counter(p for basket in mine for p in basket) for member, mine in told.items() if member >= 0]
    buyers = Counter(p for one in times for p in one)
    rates = {p: sum(float((one[p] - 1) ** alpha) for one in times if one[p] > 1) / buyers[p] for p in buyers}
    mean: float = sum(rates.values()) / len(rates)
    mine = told[case.owner]
    fading = sum(float(beta ** (len(mine) - 1 - place)) for place, basket in enumerate(mine) if product in basket)
    return (rates.get(product, 0.0) + mean / (buyers[product] + 1)) * fading


def test_trex_fades_by_baskets_and_counts_by_repeats(shop: Baskets, cases: list[Case]) -> None:
    told = known(shop, cases)
    check(Trex(0.7, 0.9), shop, cases, lambda case, product: trex(told, case, product, 0.7, 0.9))


def tifu_vector(mine: list[list[int]], method: TifuKnn, width: int) -> list[float]:
    groups = min(method.groups, len(mine))
    small, over = divmod(len(mine), groups)
    sizes = [small] * (groups - over) + [small + 1] * over
    vector, first = [0.0] * width, 0
    for group, size in enumerate(sizes):
        for place in range(first, first + size):
            after = (len(mine) if method.whole else first + size) - 1 - place
            for product in mine[place]:
                vector[product] += method.within**after / size * method.between ** (groups - 1 - group) / groups
        first += size
    return vector


@pytest.mark.parametrize("whole", [True, False])
def test_tifu_knn_mixes_a_members_vector_with_the_nearest(shop: Baskets, cases: list[Case], whole: bool) -> None:
    method = TifuKnn(nearest=2, within=0.8, between=0.6, own=0.3, groups=3, whole=whole)
    width = len(shop.products)
    vectors = {m: tifu_vector(mine, method, width) for m, mine in known(shop, cases).items() if m >= 0}

    def expected(case: Case, product: int) -> float:
        mine = vectors[case.owner]
        away = {
            m: sum((a - b) ** 2 for a, b in zip(mine, other, strict=True)) for m, other in vectors.items() if m != case.owner
        }
        near = sorted(away, key=away.__getitem__)[:2]
        return 0.3 * mine[product] + 0.7 * sum(vectors[m][product] for m in near) / 2

    check(method, shop, cases, expected)


def test_up_cf_sums_recent_shares_over_members_alike(shop: Baskets, cases: list[Case]) -> None:
    told = {member: mine for member, mine in known(shop, cases).items() if member >= 0}

    def share(member: int, product: int) -> float:
        recent = told[member][-4:]
        return sum(product in basket for basket in recent) / len(recent)

    def expected(case: Case, product: int) -> float:
        bought = {member: {p for basket in mine for p in basket} for member, mine in told.items()}
        mine = bought[case.owner]
        alike = {m: (len(mine & theirs) / (len(mine) ** 0.25 * len(theirs) ** 0.75)) ** 3 for m, theirs in bought.items()}
        return sum((1.0 if m == case.owner else alike[m]) * share(m, product) for m in told)

    check(UpCf(4, 0.25, 3), shop, cases, expected)


def test_item_knn_sums_the_cosines_to_what_was_bought(shop: Baskets, cases: list[Case]) -> None:
    every = [set(basket) for mine in known(shop, cases).values() for basket in mine]
    count = Counter(product for basket in every for product in basket)

    def expected(case: Case, product: int) -> float:
        return sum(
            sum(product in basket and other in basket for basket in every) / sqrt(count[product] * count[other])
            for other in case.known
        )

    check(ItemKnn(), shop, cases, expected)


def test_what_goes_with_the_cart_lifts_trex(shop: Baskets) -> None:
    cases = plan_of_baskets(shop, Setting("last-basket", cart=True)).cases
    told = known(shop, cases)
    every = [set(basket) for mine in told.values() for basket in mine]

    def expected(case: Case, product: int) -> float:
        shares = []
        for shown in case.shown.tolist():
            mine = [basket for basket in every if shown in basket]
            shares.append(sum(product in basket for basket in mine) / len(mine))
        likely = max(shares)
        return trex(told, case, product, 0.7, 0.9) * (1 + 10 * likely) + 0.3 * likely

    check(TrexWithCart(0.7, 0.9), shop, cases, expected)


def test_nothing_of_the_cart_is_listed(shop: Baskets) -> None:
    plan = plan_of_baskets(shop, Setting("last-basket", cart=True))
    for method in (GlobalTop(), Trex(), TifuKnn(), TrexWithCart()):
        ran = run_baskets(method, shop, plan, (5,), NoMeter())
        assert all(not set(listed) & set(case.shown.tolist()) for listed, case in zip(ran.lists, plan.cases, strict=True))


def test_p_top_has_nothing_to_fill_with_and_gp_top_has(shop: Baskets) -> None:
    plan = plan_of_baskets(shop, Setting("prequential"))
    alone = run_baskets(PersonalTop(), shop, plan, (10,), NoMeter()).lists
    filled = run_baskets(PersonalTop(filled=True), shop, plan, (10,), NoMeter()).lists
    assert [len(listed) for listed, case in zip(alone, plan.cases, strict=True) if not len(case.earlier)] == [0] * 5
    assert all(listed == more[: len(listed)] for listed, more in zip(alone, filled, strict=True))
    assert len(filled[-1]) == 10


def test_online_a_method_knows_what_was_before_each_case_and_no_more() -> None:
    """The first two see nothing; tea is known once it was bought, and the case's own basket never is."""
    shop = baskets([paid("1", "ann", "tea"), paid("2", "bob", "milk"), paid("3", "ann", "salt"), paid("4", "bob", "salt")])
    plan = plan_of_baskets(shop, Setting("prequential"))
    named = [[shop.products[p] for p in listed] for listed in run_baskets(GlobalTop(), shop, plan, (3,), NoMeter()).lists]
    assert named == [[], ["tea"], ["milk", "tea"], ["milk", "salt", "tea"]]


@pytest.mark.parametrize("method", [Trex(), TifuKnn(), UpCf(), ItemKnn(), FadingReturn()])
def test_a_method_without_any_history_lists_nothing_and_goes_on(method: BasketMethod) -> None:
    shop = baskets([paid(f"{n}", f"m{n % 2}", "tea", "milk", at=n) for n in range(6)])
    lists = run_baskets(method, shop, plan_of_baskets(shop, Setting("prequential")), (3,), NoMeter()).lists
    assert lists[0] == []
    assert set(lists[-1]) == {0, 1}


@pytest.mark.usefixtures("implicit")
@pytest.mark.parametrize("name", ["als", "bpr"])
def test_factors_find_the_products_of_two_groups_of_members(name: str) -> None:
    events = [paid(f"{n}", f"m{n % 20}", *(f"{'ab'[n % 2]}{(n // 3 + k) % 6}" for k in range(3)), at=n) for n in range(200)]
    shop = baskets(events)
    plan = plan_of_baskets(shop, Setting("last-basket"))
    ran = run_baskets(Factors(name, 8, 0.01, ROUNDS[name]), shop, plan, (6,), NoMeter())
    mine = [
        sum(shop.products[p][0] == "ab"[int(case.name) % 2] for p in ls) for ls, case in zip(ran.lists, plan.cases, strict=True)
    ]
    assert sum(mine) / len(mine) > 5
