"""Parts that a machine may lack: tests that need one are left out, and a line at the end says which and why.

Where ``CI`` is ``true`` nothing may be lacking: there such a test fails.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from infra.embedded.jars import jars
from infra.errors import NotInstalled, Unreachable

LEFT_OUT = "left out: "


def lacking(what: str, advice: str) -> NoReturn:
    """Leave out whatever asked for a part; in CI let it fail."""
    told = f"{what} ({advice})"
    if os.environ.get("CI") == "true":
        pytest.fail(f"lacking here, and CI leaves nothing out: {told}", pytrace=False)
    pytest.skip(LEFT_OUT + told)


def program(name: str, package: str, elsewhere: str = "") -> Path:
    """A program of the system's. ``elsewhere``: a pattern of absolute paths where it is besides, the last of which is taken."""
    if found := shutil.which(name):
        return Path(found)
    for path in sorted(Path("/").glob(elsewhere.lstrip("/")), reverse=True) if elsewhere else ():
        return path
    lacking(name, f"apt-get install {package}")


def kafka_jars(cache: Path) -> Path:
    """The cache, with every jar of Kafka's in it."""
    try:
        jars(cache)
    except (NotInstalled, Unreachable) as fault:
        lacking("Kafka", str(fault))
    return cache


def implicit() -> None:
    if find_spec("implicit") is None:
        lacking("implicit", "pip install 'regulars[evaluate]'")


def summary(skipped: Iterable[pytest.TestReport]) -> str | None:
    """What was left out, in a line; None if nothing was."""
    reasons = (str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple))
    counted = Counter(reason.partition(LEFT_OUT)[2] for reason in reasons if LEFT_OUT in reason)
    if not counted:
        return None
    return "left out: " + "; ".join(f"{number} tests for want of {part}" for part, number in sorted(counted.items()))
