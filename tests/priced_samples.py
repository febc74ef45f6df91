"""A price trace and a reservation for the samples of events: every field differs from its default."""

from __future__ import annotations

from aggregates.coupon import Reserved
from aggregates.pricing.trace import Hint, LadderStep, NotUsed, Op, PricedLine, PriceStep, Share, Trace, UnitsOff

RESERVED = Reserved(2, "17", 40, 1, "2017-01", 5000)

TRACE = Trace(
    "USD",
    2,
    1,
    "included",
    "group",
    (1, 2),
    (PricedLine("tea-01", "tea-01", 2, 500, (1, 5), 100), PricedLine("gift:g", "cup", 1, 300, (0, 1), kind="gift")),
    (
        PriceStep(
            3,
            "deal@1",
            None,
            ("tea-01",),
            1000,
            0,
            Op("units", rate=(1, 1), group=(1, 1), units=(UnitsOff("tea-01", 1, 500),)),
            500,
            "cap",
            100,
            (("tea-01", 100),),
            limits=(("cap", 100),),
        ),
        PriceStep(
            4,
            "full@2",
            None,
            ("tea-01",),
            900,
            0,
            Op("ladder", rungs=(LadderStep(800, 51, None),)),
            51,
            "none",
            51,
            (("tea-01", 51),),
            refund="recompute",
        ),
        PriceStep(8, "policy@1", None, ("tea-01",), 849, 0, Op("tax", rate=(1, 5)), 142, "none", 142, (("tea-01", 142),)),
    ),
    (NotUsed("beaten_by", "ten", "SPRING", 12, ("full",)),),
    (Hint("full", 320, 4000),),
    True,
    849,
    142,
    (Share("tea-01", 849, 142, refund="recompute"), Share("gift:g", 0, 0)),
)
