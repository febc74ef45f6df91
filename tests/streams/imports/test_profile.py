from __future__ import annotations

from typing import Any

import pytest

from streams.imports.shop_log import lines
from tests.streams.imports.lines import NOON, code, line, read


def test_profile_fields_become_text() -> None:
    told = {"a": 1, "b": 1.50, "c": True, "d": False, "e": "text", "f": None, "g": 10**30, "tags": "x,y"}
    body = read({"type": "member", "at": NOON, "member_id": 1, **told}).line
    assert isinstance(body, lines.MemberLine)
    assert body.profile == {"a": "1", "b": "1.5", "c": "true", "d": "false", "e": "text", "g": "1" + "0" * 30, "tags": "x,y"}


def test_a_field_named_profile_may_be_a_plain_one() -> None:
    body = read({"type": "member", "at": NOON, "member_id": 1, "profile": "gold"}).line
    assert isinstance(body, lines.MemberLine)
    assert body.profile == {"profile": "gold"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"address": {"city": "Paris"}}, "profile_invalid"),
        ({"children": [1, 2]}, "profile_invalid"),
        ({"profile": {"a": []}}, "profile_invalid"),
        ({"profile": []}, "profile_invalid"),
        ({"tags": ["a,b"]}, "tag_invalid"),
        ({"tags": [""]}, "tag_invalid"),
        ({"tags": [1]}, "text_invalid"),
        ({"tags": 1}, "list_invalid"),
        ({"email": 1}, "text_invalid"),
    ],
)
def test_a_profile_that_is_not_flat_is_rejected(told: dict[str, Any], expected: str) -> None:
    assert code(line("member", **told)) == expected
