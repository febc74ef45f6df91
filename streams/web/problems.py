"""Problems as RFC 9457 describes them: a stable code, a sentence in the asker's language, the field it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from infra.event_log.types import Outcome
from streams.web.sentences import CHINESE, TITLES

MEDIA_TYPE = "application/problem+json"


class HttpProblem(Exception):  # noqa: N818 - the RFC's word
    """An answer that is not what was asked for. ``pointer``: a JSON Pointer into the body."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        pointer: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.pointer = pointer
        self.headers = dict(headers or {})
        self.more = more

    def response(self, language: str, request: str | None = None) -> Response:
        """Return the problem as a response; ``request`` is the id by which it may be asked again."""
        detail = CHINESE.get(self.code, self.sentence) if language == "zh" else self.sentence
        content = {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": detail,
            "code": self.code,
            "pointer": self.pointer,
            "request": request,
            **self.more,
        }
        told = {name: value for name, value in content.items() if value is not None}
        spoken = "zh" if language == "zh" and self.code in CHINESE else "en"
        headers = {"Content-Language": spoken, "Vary": "Accept-Language", "Cache-Control": "no-store", **self.headers}
        return Response(msgspec.json.encode(told), self.status, headers, MEDIA_TYPE)


def refusal_problem(outcome: Outcome, unknown_in_path: frozenset[str], index: int | None = None) -> HttpProblem:
    """Return the problem of a refused command. ``unknown_in_path``: codes that mean the path names nothing that exists."""
    status = 404 if outcome.code in unknown_in_path else status_of(outcome.code)
    pointer = None if index is None else f"/commands/{index}"
    return HttpProblem(status, outcome.code, outcome.sentence, pointer=pointer, position=outcome.position)


FORBIDDEN = frozenset({"reaction_only", "pool_not_theirs", "command_not_yours"})
TOO_LARGE = frozenset({"event_too_large"})
NEVER_RIGHT = frozenset(
    {
        "command_unknown", "command_invalid", "shopper_missing", "too_many_products", "currency_unknown", "review_too_long",
        "campaign_dates", "order_empty", "line_of_another_product", "total_negative", "transfer_to_oneself", "refund_too_high",
        "exchange_itself", "exchange_empty", "points_below_minimum", "points_not_a_multiple", "effective_past", "override_over",
    }
)  # fmt: skip
"""Refusals of requests that no state allows."""


def status_of(code: str) -> int:
    """Return the HTTP status of a refusal: 422 if the request can never succeed, 409 if the present state forbids it.

    >>> status_of("points_invalid"), status_of("points_short"), status_of("reaction_only"), status_of("event_too_large")
    (422, 409, 403, 413)
    """
    if code in FORBIDDEN:
        return 403
    if code in TOO_LARGE:
        return 413
    if code in NEVER_RIGHT or code.endswith(("_invalid", "_missing", "_unknown")):
        return 422
    return 409


MESSAGE = re.compile(r"^(?P<said>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)
QUOTED_TYPE = re.compile(r"(?<!field )`([^`]*)`")
STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def pointer_of(message: str) -> tuple[str, str | None]:
    """Split a message of msgspec into a sentence and a JSON Pointer.

    >>> pointer_of("Expected `int`, got `str` - at `$.lines[0].gross`")
    ('Expected int, got str.', '/lines/0/gross')
    >>> pointer_of("Object missing required field `member`")
    ('Object missing required field `member`.', '')
    """
    found = MESSAGE.match(message)
    said, path = (found["said"], found["path"]) if found else (message, None)
    steps = [name or index for name, index in STEP.findall(path or "")]
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    return QUOTED_TYPE.sub(r"\1", said).rstrip(".") + ".", pointer
