"""Currencies of 0, 2, 3 and 4 decimals, and older logs with other decimals, through every path of money, points and texts.

The reference is slow and obvious: exact fractions of major units, rounded down where the rules say so.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from aggregates.decider import Refusal
from aggregates.membership.commands import AdjustPoints, ClawBackPoints, GrantPoints, RedeemPoints
from aggregates.membership.events import PointsClawedBack, PointsGranted, PointsRedeemed
from aggregates.pricing.cart_document import read_cart
from aggregates.pricing.pipeline import price
from aggregates.programme import Earning, Policies, Programme, SpendRule, Wallet
from aggregates.programme.policy import PolicyPublished, policy
from aggregates.programme.terms import InForce, RedemptionTerms
from infra.event_log.types import Shop
from infra.settings import Settings
from streams.cli.formatting import format_money
from streams.cli.main import regulars
from streams.commands.execution import context_of
from streams.exports.shop_log.lines import Amounts
from streams.imports.shop_log.amounts import gross_of, money, unit_price
from streams.imports.shop_log.rejected import Rejected
from streams.queries.price_words import sentences
from streams.running.app import running
from tests.aggregates.given import instant
from tests.aggregates.membership.lives import Ledger

DECIMALS = {"JPY": 0, "XOF": 0, "CLP": 0, "EUR": 2, "USD": 2, "JOD": 3, "KWD": 3, "TND": 3, "CLF": 4, "UYW": 4}
NOW = instant("2026-06-10T12:00", "UTC")
LARGEST = 10**9


class Money(NamedTuple):
    """An amount of a log: ``minor`` units, of which ``one`` make a major unit."""

    currency: str
    digits: int
    minor: int

    @property
    def one(self) -> int:
        return int(10**self.digits)

    @property
    def major(self) -> Fraction:
        return Fraction(self.minor, self.one)

    @property
    def text(self) -> str:
        """The amount as people write it, by decimal arithmetic."""
        return f"{Decimal(self.minor).scaleb(-self.digits):,.{self.digits}f}"


def some_money(chance: Random) -> Money:
    currency = chance.choice(list(DECIMALS))
    digits = DECIMALS[currency] if chance.random() < 0.8 else 2  # older logs had 2 for all
    return Money(currency, digits, chance.choice((0, 1, chance.randint(1, 999), chance.randint(0, LARGEST))))


def terms_of(of: Money, chance: Random) -> Programme:
    value = RedemptionTerms(value=(chance.randint(1, 9), chance.choice((1, 7, 100, 1000))))
    earning = Earning(spend=(SpendRule(rate=(chance.randint(1, 5), chance.randint(1, 3))),))
    wallets = (Wallet(activates="at_payment", redemption=value),)
    return Programme("UTC", of.currency, wallets=wallets, earning=earning, tiers=(), digits=of.digits)


def answer(ask: Callable[[], Any]) -> Any:
    """Return what is answered, or the code of a refusal."""
    try:
        return ask()
    except (Rejected, Refusal) as refused:
        return refused.code


def check_reading(of: Money, chance: Random) -> None:
    """Amounts with up to six decimals: taken if the log's decimals hold them, else rejected; never rounded."""
    written = Decimal(chance.randint(0, 10**7)).scaleb(-chance.randint(0, 6))
    exact = Fraction(written) * of.one
    expected = "money_too_precise" if exact.denominator > 1 else exact
    assert answer(lambda: money(format(written, "f"), of.digits)) == expected
    pieces = chance.randint(1, 9)
    assert gross_of(unit_price(format(written, "f"), of.digits), pieces) == round(exact * pieces)  # half to even
    told = Amounts(of.currency, of.digits).text(of.minor)
    assert told == of.text.replace(",", "")
    assert money(told, of.digits) == of.minor


def check_texts(of: Money, chance: Random) -> None:
    sign = chance.choice((1, -1)) if of.minor else 1
    shown = format_money(sign * of.minor, Programme("UTC", of.currency, digits=of.digits))
    assert shown == f"{'-' * (sign < 0)}{of.text} {of.currency}"
    document = {"currency": of.currency, "digits": of.digits, "lines": [{"product": "tea", "price": of.minor}]}
    request, problems = read_cart(document)
    assert request, problems
    first = next(iter(sentences(price(request).trace)))
    assert first.startswith(f"To pay: {of.text} {of.currency}, with tax of ")


def check_points(of: Money, chance: Random) -> None:
    terms = terms_of(of, chance)
    ledger = Ledger(Policies((InForce(0, terms),)))
    rate = Fraction(*terms.earning.spend[0].rate)
    earned = ledger.give(GrantPoints("m", "o", of.minor, NOW)) if of.minor else []
    granted = sum(event.points for event in earned if isinstance(event, PointsGranted))
    assert granted == of.major * rate // 1
    if granted:
        left = chance.randint(0, of.minor)
        back = ledger.give(ClawBackPoints("m", "o", "r", left, NOW, complete=not left))
        clawed = sum(event.points for event in back if isinstance(event, PointsClawedBack))
        assert granted - clawed == Fraction(left, of.one) * rate // 1
    points = chance.randint(1, 2_000)
    ledger.give(AdjustPoints("m", "a", points, "test", "kim", NOW))
    worth = points * Fraction(*terms.wallets[0].redemption.value) * of.one
    spent = answer(lambda: ledger.give(RedeemPoints("m", "s", points, NOW)))
    if worth < 1:
        assert spent == "points_worth_nothing"
    else:
        assert [event.money for event in spent if isinstance(event, PointsRedeemed)] == [worth // 1]


def check_policies(of: Money, chance: Random) -> None:
    """A policy tells no decimals: the log's own hold under each version."""
    first = Policies.first("UTC", of.currency, of.digits)
    threshold = chance.randint(1, 9_999)
    document = {"tiers": [{"name": "vip", "threshold": threshold, "keep": 1}]}
    published = PolicyPublished(
        policy="shop", version=2, document=document, zone="UTC", currency=of.currency, effective=0, actor="kim", at=0
    )
    for known in (context_of(policy.rebuild([published]), 1, first).policies, policy.evolve(first, published)):
        assert known.newest.unit == of.one
        assert known.newest.reached(of.minor) == (of.major >= threshold)


CHECKS = (check_reading, check_texts, check_points, check_policies)


def hunt(examples: int, seed: int) -> Counter[str]:
    """Try so many amounts, each on every path, and return how many there were of each currency and number of decimals."""
    chance, tried = Random(seed), Counter[str]()
    for _ in range(examples):
        of = some_money(chance)
        for check in CHECKS:
            check(of, chance)
        tried[f"{of.currency} {of.digits}"] += 1
    return tried


def test_money_points_and_texts_have_the_logs_own_decimals() -> None:
    tried = hunt(300, seed=1)
    assert tried.total() == 300
    assert {name.split()[1] for name in tried} == {"0", "2", "3", "4"}


@pytest.mark.slow
def test_money_points_and_texts_have_the_logs_own_decimals_in_ten_thousand_amounts() -> None:
    tried = hunt(10_000, seed=2)
    assert tried.total() == 10_000
    assert {name.split()[0] for name in tried} == set(DECIMALS)


@pytest.mark.parametrize(("currency", "digits"), [("XOF", 0), ("EUR", 2), ("JOD", 3), ("CLF", 4), ("JPY", 2), ("JOD", 2)])
def test_every_command_shows_amounts_with_the_logs_decimals(
    currency: str, digits: int, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = Money(currency, digits, 12_345_678)
    with running(settings, Shop("UTC", currency, digits)):
        pass
    monkeypatch.setenv("REGULARS_HOME", str(settings.home))
    monkeypatch.setenv("REDIS_URL", str(settings.redis_url))
    plain = of.text.replace(",", "")
    lines: list[dict[str, Any]] = [
        {"type": "product", "at": "2026-03-01T09:00:00Z", "product_id": "tea", "price": plain},
        {"type": "order", "at": "2026-03-02T09:00:00Z", "order_id": "1", "member_id": "m", "lines": [{"product_id": "tea"}]},
    ]
    (tmp_path / "shop.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    def told(*command: str) -> str:
        done = CliRunner().invoke(regulars, command, env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    told("import", "shop-log", str(tmp_path / "shop.jsonl"))
    for command in (("show", "order", "1"), ("show", "product", "tea"), ("trace", "1")):
        assert re.search(rf"(?<![\d,.]){re.escape(of.text)}(?![\d,.])", told(*command)), command
    assert f'"price":"{plain}"' in told("export", "shop-log", "-")
    assert f"{of.minor // of.one:,} pending" in told("show", "member", "m")
