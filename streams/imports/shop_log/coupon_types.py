"""Lines that tell of a coupon, and commands of Regulars that no other line says."""

from __future__ import annotations

from streams.imports.shop_log import building
from streams.imports.shop_log.kinds import ID, INSTANT, MONEY, OBJECT, TEXT
from streams.imports.shop_log.line_type import ORDER, WHO, LineType, line_type
from streams.imports.shop_log.shape import Field


def coupon(kind: str, about: str, more: dict[str, Field]) -> LineType:
    fields = {
        "campaign_id": Field(ID, "The campaign."),
        "code": Field(ID, "The coupon's code; it stands for the campaign where no campaign_id is told."),
        "member_id": WHO["member_id"],
        **ORDER,
        "amount": Field(MONEY, "What the coupon is worth, or took off."),
    }
    return line_type(kind, about, building.coupon, {**fields, **more}, ("campaign_id", "code"), "member_id")


COUPONS = (
    coupon(
        "coupon_sent",
        "A member was sent a coupon.",
        {
            "kind": Field(TEXT, "The campaign's kind.", ours=True),
            "starts": Field(INSTANT, "From when it is valid.", ours=True),
            "ends": Field(INSTANT, "The first instant at which it no longer is.", ours=True),
        },
    ),
    coupon(
        "coupon_redeemed",
        "A member used a coupon.",
        {
            "coupon": Field(ID, "The coupon, where the campaign has several.", ours=True),
            "use": Field(ID, "This use's own name.", ours=True),
        },
    ),
)

COMMANDS = (
    line_type(
        "regulars",
        "A command that only Regulars writes.",
        building.command,
        {
            "command": Field(ID, "The command's name.", ours=True),
            "values": Field(OBJECT, "Its values by name.", ours=True),
        },
        "command",
        "values",
    ),
)
