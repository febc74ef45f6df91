"""That a command is what it says, before anything is looked up by it: names are names, points are whole numbers."""

from __future__ import annotations

from aggregates.decider import Refusal, require_count, require_id
from aggregates.membership.commands import Asked
from aggregates.membership.commands_of_people import Done, ReceivePoints, TagMember
from aggregates.membership.ledger.moves import PointsTransferred
from aggregates.value import asdict

NAMES = (
    *("member", "joiner", "leaver", "pool", "to", "transfer", "redemption", "reversal", "hold"),
    *("lot", "claim", "reward", "adjustment", "reinstatement"),
)
ACTIONS = ("action", "occurrence", "actor")
MAYBE = ("order", "wallet", "by")
FLAGS = ("by_shop", "leaves")


def require_fit(command: Asked | Done) -> None:
    told = asdict(command)
    for name in (*NAMES, *ACTIONS):
        if name in told:
            require_id("member" if name in ("to", "joiner", "leaver") else name, told[name])
    for name in MAYBE:
        if told.get(name) is not None:
            require_id(name, told[name])
    if told.get("total") is not None:
        require_count("total", told["total"])
    if (points := told.get("points")) is not None:
        require_count("points", abs(points) if type(points) is int else points)
    for name in FLAGS:
        if not isinstance(told.get(name, False), bool):
            raise Refusal(f"{name}_invalid", f"{name} is true or false.")
    match command:
        case TagMember():
            if not isinstance(command.tags, tuple | list) or len(command.tags) > 100:
                raise Refusal("tags_invalid", "A member's tags are a list of at most 100 names.")
            for tag in command.tags:
                require_id("tag", tag)
        case ReceivePoints():
            if not isinstance(command.sent, PointsTransferred) or command.sent.other != command.member:
                raise Refusal("transfer_invalid", "Points are received from a transfer to this member.")
