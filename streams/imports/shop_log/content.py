"""What a line says, as 16 bytes: equal for lines that are equal by value, whatever their spelling."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson

from streams.imports.shop_log.lines import Body

OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_SORT_KEYS


def content_of(kind: str, at: int, body: Body) -> bytes:
    """What a line of type ``kind`` says of the instant ``at``.

    A field that is None counts as not there, so a field that a later version adds changes nothing of what is stored.
    """
    return blake2b(orjson.dumps((kind, at, body), default=told, option=OPTIONS), digest_size=16).digest()


def told(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value.normalize())
    return {name: inner for name, inner in value.__dict__.items() if inner is not None}
