from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.pricing.codes import ALPHABET, LENGTH, SERIALS, code_of, normalised, serial_of, shown

KEY = b"a secret of 32 bytes for testing"
SERIAL_NUMBERS = st.integers(0, SERIALS - 1)


@given(SERIAL_NUMBERS)
def test_a_code_leads_back_to_its_serial(serial: int) -> None:
    code = code_of(serial, KEY)
    assert len(code) == LENGTH
    assert set(code) <= set(ALPHABET)
    assert serial_of(code, KEY) == serial


def test_no_two_serials_have_one_code() -> None:
    assert len({code_of(serial, KEY) for serial in range(20_000)}) == 20_000


def test_another_key_makes_other_codes() -> None:
    mine = {code_of(serial, KEY) for serial in range(1_000)}
    assert mine.isdisjoint({code_of(serial, b"another secret of 16") for serial in range(1_000)})


@given(SERIAL_NUMBERS, st.randoms(use_true_random=False))
def test_a_code_may_be_typed_in_small_letters_with_dashes_and_misread(serial: int, chance: random.Random) -> None:
    code = code_of(serial, KEY)
    misread = "".join({"8": "b", "5": "s", "2": "z"}.get(c, c.lower()) if chance.random() < 0.5 else c for c in code)
    assert normalised(f" {shown(misread)} ") == code


def test_a_typing_error_does_not_hit_another_issued_code() -> None:
    issued = 1_000_000
    chance = random.Random(1)
    for serial in range(300):
        code = code_of(serial, KEY)
        place = chance.randrange(LENGTH)
        letter = chance.choice([letter for letter in ALPHABET if letter != code[place]])
        found = serial_of(code[:place] + letter + code[place + 1 :], KEY)
        assert found is None or found >= issued


@pytest.mark.parametrize("entered", ["", "SHORT", "2" * 11, "2" * 13, "A" * 12, "Y" * 12])
def test_what_is_no_code_has_no_serial(entered: str) -> None:
    assert serial_of(normalised(entered), KEY) is None


def test_a_serial_out_of_range_is_an_error() -> None:
    with pytest.raises(ValueError, match="a serial is from 0"):
        code_of(SERIALS, KEY)
