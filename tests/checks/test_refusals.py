"""The codes of refusals in the docs are exactly those in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.refusals import ANY, CODES, documented

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for room in ("aggregates", "infra", "streams") for path in (ROOT / room).rglob("*.py"))


def refused(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Yield the codes in a file, with ``<…>`` for a computed part, and their sentences."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
            yield written(node.args[0]), node.args[1]
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "code" and isinstance(keyword.value, ast.Constant | ast.JoinedStr):
                yield written(keyword.value), ast.Constant("Another's.")


def written(text: ast.expr) -> str:
    match text:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else ANY for part in parts)  # type: ignore[misc]
    raise AssertionError(f"no code: {ast.unparse(text)}")


GIVEN = {code for path in SOURCES for code, _ in refused(path)}


@pytest.mark.parametrize("code", sorted(GIVEN))
def test_a_code_is_documented(code: str) -> None:
    assert code in CODES or documented(code.replace(ANY, "x"))


def test_every_documented_code_is_in_the_code() -> None:
    assert [code for code in CODES if code not in GIVEN] == []


def test_every_refusal_has_a_sentence() -> None:
    told = [sentence for path in SOURCES for _, sentence in refused(path)]
    written_here = [written(one) for one in told if isinstance(one, ast.Constant | ast.JoinedStr)]
    assert [sentence for sentence in written_here if not sentence.endswith((".", ANY))] == []
