from __future__ import annotations

import moneyed
import pytest

from aggregates.currencies import IN_USE, OTHER_DIGITS, WITHDRAWN, digits
from aggregates.decider import Refusal

NEWER = {"SLE", "VED", "XCG", "ZWG"} - set(moneyed.CURRENCIES)


@pytest.mark.parametrize("currency", sorted((IN_USE | WITHDRAWN) - NEWER))
def test_the_digits_are_those_of_iso_4217(currency: str) -> None:
    assert 10 ** digits(currency) == moneyed.CURRENCIES[currency].sub_unit


@pytest.mark.parametrize("currency", sorted(NEWER))
def test_currencies_newer_than_the_reference_have_two_digits(currency: str) -> None:
    assert digits(currency) == 2


def test_twenty_six_currencies_do_not_have_two_digits() -> None:
    assert len(OTHER_DIGITS) == 26
    assert set(OTHER_DIGITS) <= IN_USE


@pytest.mark.parametrize("code", ["EURO", "eur", "", "XXX", "XAU", "DEM", "BTC", "€"])
def test_what_is_no_currency_in_use_is_refused(code: str) -> None:
    with pytest.raises(Refusal, match="not a currency code") as refused:
        digits(code)
    assert refused.value.code == "currency_unknown"
