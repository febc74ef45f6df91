from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregates.member import MemberRegistered
from aggregates.order.events import OrderCancelled, OrderLine, OrderPaid, OrderRefunded
from aggregates.value import replace
from projections.sales import sales
from tests.aggregates.given import ZONE, instant
from tests.projections.folding import tallied

SALES = sales(ZONE)
NOON = instant("2026-12-31T12:00")
LINES = (
    OrderLine("tea", 2, gross=1200, total=1000, paid=900, department="GROCERY", category="TEA"),
    OrderLine("rice", 1, gross=400, total=400, paid=400, department="GROCERY", category="RICE"),
    OrderLine("soap", 0, gross=0, total=50, paid=-50),
)
PAID = OrderPaid(order="o", member="m", session=None, currency="USD", lines=LINES, net=1250, at=NOON)
MONEY = st.integers(-(10**6), 10**6)
ANY_LINES = st.lists(
    st.builds(
        OrderLine,
        st.just("tea"),
        st.integers(0, 3),
        MONEY,
        MONEY,
        MONEY,
        st.sampled_from([None, "A", "B"]),
        st.sampled_from([None, "X", "Y"]),
    )
)


def test_a_days_sales_are_the_sums_of_its_lines() -> None:
    assert tallied(SALES, PAID).counts["sales:2026-12-31"] == {
        "orders": 1,
        "lines": 3,
        "gross": 1600,
        "discount": 150,
        "total": 1450,
        "tender": 200,
        "paid": 1250,
    }


def test_departments_and_categories_have_their_own_sums() -> None:
    counts = tallied(SALES, PAID).counts
    assert counts["sales:2026-12-31:department"] == {
        "GROCERY:lines": 2,
        "GROCERY:gross": 1600,
        "GROCERY:total": 1400,
        "GROCERY:paid": 1300,
        "(unknown):lines": 1,
        "(unknown):gross": 0,
        "(unknown):total": 50,
        "(unknown):paid": -50,
    }
    assert {name.partition(":")[0] for name in counts["sales:2026-12-31:category"]} == {"TEA", "RICE", "(unknown)"}
    assert counts["sales:2026-12-31:category"]["TEA:total"] == 1000


def test_the_day_is_the_shops_local_day() -> None:
    last, first = instant("2027-01-01") - 1, instant("2027-01-01")
    counts = tallied(SALES, replace(PAID, at=last), replace(PAID, at=first)).counts
    assert {day: counts[day]["orders"] for day in counts if day.count(":") == 1} == {
        "sales:2026-12-31": 1,
        "sales:2027-01-01": 1,
    }


def test_refunded_money_is_counted_apart_on_its_own_day() -> None:
    refunded = OrderRefunded(
        order="o",
        refund="r",
        member="m",
        session=None,
        currency="USD",
        parts=((1, 2, 900),),
        lines=LINES[:1],
        net_retained=350,
        complete=False,
        at=instant("2027-01-02T09:00"),
    )
    cancelled = OrderCancelled(
        order="p", member="m", session=None, currency="USD", reason="", lines=LINES, at=instant("2027-01-02T10:00")
    )
    counts = tallied(SALES, PAID, refunded, cancelled).counts
    assert counts["sales:2027-01-02"] == {"refunds": 1, "refunded": 900, "cancellations": 1, "cancelled": 1250}
    assert counts["sales:2026-12-31"] == tallied(SALES, PAID).counts["sales:2026-12-31"]


def test_new_members_are_counted_on_the_day_they_join() -> None:
    joined = [
        MemberRegistered(member=member, name=None, email=None, birthday=None, profile={}, at=NOON) for member in ("m", "n")
    ]
    assert tallied(SALES, *joined).counts == {"sales:2026-12-31": {"members": 2}}


@given(st.lists(ANY_LINES, max_size=4))
def test_departments_and_categories_sum_to_the_day(baskets: list[list[OrderLine]]) -> None:
    counts = tallied(SALES, *(replace(PAID, lines=tuple(lines)) for lines in baskets)).counts
    whole = counts["sales:2026-12-31"]
    for measure in ("lines", "gross", "total", "paid"):
        for cut in ("department", "category"):
            names = counts[f"sales:2026-12-31:{cut}"]
            assert sum(by for name, by in names.items() if name.endswith(f":{measure}")) == whole[measure]
    assert whole["gross"] - whole["discount"] == whole["total"] == whole["paid"] + whole["tender"]
