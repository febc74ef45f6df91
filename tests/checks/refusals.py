"""The codes in `docs/refusals.md`."""

from __future__ import annotations

import re
from pathlib import Path

ANY = "<…>"
PAGE = (Path(__file__).parents[2] / "docs/refusals.md").read_text()
CODES = [code for row in re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE) for code in re.findall(r"`([^`]+)`", row)]
KNOWN = re.compile("|".join(re.escape(code).replace(re.escape(ANY), "[a-z_]+") for code in CODES))


def documented(code: str) -> bool:
    return KNOWN.fullmatch(code) is not None
