"""Names: each term of the glossary exists where the page says, and no two public classes share a name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("aggregates", "projections", "models", "infra", "streams")
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TERMS = [row for row in ROW.findall((ROOT / "docs/glossary.md").read_text()) if row[0] not in ("term", "---")]

KNOWN_DUPLICATES = {"Offer"}
"""Names that two classes still share. Rename one of them and take it off; add none."""


def public_classes() -> dict[str, list[str]]:
    """Return the files that define each public class."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(str(path.relative_to(ROOT)))
    return found


def test_no_two_public_classes_share_a_name() -> None:
    shared = {name: files for name, files in public_classes().items() if len(files) > 1 and name not in KNOWN_DUPLICATES}
    assert shared == {}


def test_the_glossary_has_terms() -> None:
    assert len(TERMS) > 40


@pytest.mark.parametrize(("term", "meaning", "where"), TERMS, ids=[term for term, *_ in TERMS])
def test_a_term_exists_where_the_glossary_says(term: str, meaning: str, where: str) -> None:
    assert [other for other, *_ in TERMS].count(term) == 1
    path, *names = re.findall(r"`([^`]+)`", where)
    place = ROOT / path
    text = "\n".join(file.read_text() for file in ([place] if place.is_file() else sorted(place.rglob("*.py"))))
    assert text
    for name in names:
        assert re.search(rf"\b{re.escape(name)}\b", text), f"{path} has no {name}"
