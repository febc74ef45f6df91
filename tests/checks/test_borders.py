"""Each import rule of pyproject.toml is broken once, in a copy of the code, and must be noticed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = [contract["name"] for contract in PROJECT["tool"]["importlinter"]["contracts"]]
BANNED = list(PROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"])
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]

VIOLATIONS = {
    "Imports go one way: streams, infra, projections | models, aggregates": [
        ("aggregates/cart.py", "import projections.cart"),
        ("projections/cart.py", "import models.learner"),
        ("models/learner.py", "import projections.cart"),
        ("infra/redis/views.py", "import streams.commands.handler"),
        ("aggregates/order/events.py", "from infra.errors import Fault"),
    ],
    "The core touches nothing outside": [
        ("aggregates/membership/ledger/state.py", "import sqlite3"),
        ("projections/card.py", "from redis import Redis"),
        ("models/learner.py", "from time import time"),
        ("aggregates/cart.py", "import logging"),
        ("aggregates/order/events.py", "import msgspec"),
    ],
    "Aggregates and projections count with the standard library alone": [
        ("aggregates/money.py", "import numpy"),
        ("projections/sales.py", "from river import stats"),
    ],
    "Aggregates do not know each other": [
        ("aggregates/cart.py", "from aggregates.product import Product"),
        ("aggregates/order/refund.py", "from aggregates.membership.events import Lot"),
    ],
    "Only reactions and constraints see two aggregates": [
        ("aggregates/decider.py", "from aggregates.member import Member"),
        ("aggregates/programme/terms.py", "import aggregates.reactions"),
    ],
    "Adapters know shapes, never a named event": [
        ("infra/codec.py", "from aggregates.order.events import OrderPaid"),
        ("infra/redis/views.py", "import projections.card"),
    ],
    "Rooms of streams import downwards": [
        ("streams/queries/why.py", "import streams.cli.main"),
        ("streams/kafka/topics.py", "import streams.queries.lag"),
        ("streams/running/app.py", "import streams.kafka.topics"),
        ("streams/commands/handler.py", "import streams.running.app"),
        ("streams/projecting/dispatch.py", "import streams.commands.handler"),
        ("streams/registry.py", "import streams.commands.request"),
    ],
    "Rooms of replay import downwards": [
        ("streams/replay/snapshot/files.py", "import streams.replay.reports.report"),
        ("streams/replay/backtest/policy.py", "import streams.replay.snapshot.files"),
        ("streams/replay/past/stored.py", "import streams.replay.rebuild.version"),
        ("streams/replay/in_memory.py", "import streams.replay.past.read_models"),
    ],
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the packages and their rules, without the tests."""
    house = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", house)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, house / package, ignore=shutil.ignore_patterns("__pycache__"))
    return house


def broken_contracts(house: Path) -> list[str]:
    """Return the contracts that import-linter finds broken; it must have checked each."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=house, capture_output=True, text=True, check=False)
    told = re.findall(r"^(.+) (KEPT|BROKEN)(?: \(\d+ ignored import\))?$", done.stdout, re.MULTILINE)
    assert [name for name, _ in told] == CONTRACTS, done.stdout + done.stderr
    broken = [name for name, judged in told if judged == "BROKEN"]
    assert done.returncode == (1 if broken else 0)
    return broken


def test_every_contract_has_a_violation() -> None:
    assert list(VIOLATIONS) == CONTRACTS


def test_the_code_keeps_every_contract(copy: Path) -> None:
    assert broken_contracts(copy) == []


@pytest.mark.parametrize(
    ("contract", "path", "line"), [(name, *planted) for name, all_of in VIOLATIONS.items() for planted in all_of]
)
def test_a_contract_notices_its_violation(copy: Path, contract: str, path: str, line: str) -> None:
    page = copy / path
    before = page.read_text()
    page.write_text(f"{before}\n{line}\n")
    try:
        assert contract in broken_contracts(copy)
    finally:
        page.write_text(before)


def found(house: Path, package: str, code: str) -> str:
    """Return what ruff reports about a file with this code."""
    page = house / package / "planted.py"
    page.write_text(code)
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "check", "--no-cache", "--output-format", "concise", str(page)]
    try:
        done = subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)
        return done.stdout
    finally:
        page.unlink()


@pytest.mark.parametrize("package", ["aggregates", "projections", "models"])
@pytest.mark.parametrize("banned", BANNED)
def test_the_core_may_use_no_clock_random_or_environment(copy: Path, package: str, banned: str) -> None:
    module, _, name = banned.rpartition(".")
    used = f"import {module.partition('.')[0]}\n\nvalue = {banned}\n" if name != banned else f"import {name}\n"
    assert f"TID251 `{banned}` is banned" in found(copy, package, used)
    if module:
        top, _, rest = banned.partition(".")
        by_name = f"from {top} import {rest.partition('.')[0]}\n\nvalue = {rest}\n"
        assert f"TID251 `{banned}` is banned" in found(copy, package, by_name)


@pytest.mark.parametrize("package", ["infra", "streams"])
def test_the_shell_may_use_the_clock(copy: Path, package: str) -> None:
    assert "TID251" not in found(copy, package, "import time\n\nnow = time.time()\n")


def test_a_file_without_banned_names_passes(copy: Path) -> None:
    assert "TID251" not in found(copy, "aggregates", '"""Nothing."""\n\nfrom datetime import date\n\nday = date(2017, 1, 1)\n')
