"""An example of each body, made from its schema, so that a command added later has one."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

KNOWN: dict[str, object] = {
    "member": "1057", "session": "s-1", "cart": "c-1", "order": "o-1", "product": "tea", "campaign": "spring",
    "currency": "EUR", "name": "Ada", "email": "ada@example.com", "birthday": "1990-12-10", "price": 1990, "quantity": 2,
    "points": 100, "reason": "goodwill", "half_stars": 9, "text": "Good.", "tier": "gold", "to": "2081", "joined": "1057",
    "joiner": "2081", "leaver": "2081", "newcomer": "2081", "until": 1_900_000_000_000,
    "id": "o-1", "position": "1", "units": 1, "gross": 1990, "total": 1990, "paid": 1990, "effective": 1_900_000_000_000,
}  # fmt: skip
"""What a field of this name says in an example."""

WHOLE: dict[str, dict[str, Any]] = {
    "ChangeCampaign": {"document": {"effect": {"percent": "10 %"}}},
    "IssueGiftCard": {"card": "card-1", "amount": 5000},  # with a member, it would be store credit
}
"""Bodies whose fields' types do not say enough."""

TOGETHER: dict[str, object] = {
    "behaviour": {"acts": [{"kind": "Viewed", "member": "1057", "product": "tea"}]},
    "requests": {
        "commands": [
            {"command": "AddToCart", "cart": "c-1", "product": "tea", "quantity": 1, "price": 1990},
            {"command": "ChangeQuantity", "cart": "c-1", "product": "tea", "quantity": 2},
        ]
    },
    "recommendations": {"member": "1057", "count": 5, "filter": {"in_stock": True}, "fresh": True},
}
"""Bodies that are no single command."""


def body_example(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return an example of a body: every field that must be there, and those that are easy to know."""
    if struct.__name__ in WHOLE:
        return WHOLE[struct.__name__]
    told = {}
    for field in msgspec.structs.fields(struct):
        if field.required or (field.name in KNOWN and field.name not in ("session", "effective")):
            told[field.name] = _value(field.name, field.type)
    return told


def _value(name: str, hint: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        return _value(name, next(one for one in args if one is not type(None)))
    if origin is Literal:
        return args[0]
    if origin is tuple:
        return [_value(name, args[0])]
    if origin is dict:
        return {}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return body_example(hint)
    if name in KNOWN:
        return KNOWN[name]
    return {str: f"{name}-1", int: 1, float: 0.5, bool: False}.get(hint, f"{name}-1")
