"""Coupon codes: a serial number, permuted with a secret key, in an alphabet that people do not misread.

A code is not stored: its serial is computed back with the key. The permutation is a Feistel network of ten rounds over 54
bits, with keyed BLAKE2s as the round function (Luby and Rackoff, 1988). 25 to the power of 12 codes exist, so a guess finds
one of a million issued codes once in 6·10¹⁰ tries.
"""

from __future__ import annotations

from hashlib import blake2s

ALPHABET = "23456789CDFGHJKMNPQRTVWXY"
LENGTH = 12
HALF_BITS = 27
ROUNDS = 10
SERIALS = 1 << (2 * HALF_BITS)

MASK = (1 << HALF_BITS) - 1
PLACES = {letter: place for place, letter in enumerate(ALPHABET)}
MISREAD = str.maketrans("BSZ", "852")


def code_of(serial: int, key: bytes) -> str:
    """Return the code of a serial number from 0 to 2⁵⁴ - 1. ``key``: 16 to 32 secret bytes.

    >>> serial_of(code_of(12_345, b"k" * 16), b"k" * 16)
    12345
    """
    if not 0 <= serial < SERIALS:
        raise ValueError(f"a serial is from 0 to {SERIALS - 1}, not {serial}")
    left, right = serial >> HALF_BITS, serial & MASK
    for number in range(ROUNDS):
        left, right = right, left ^ round_of(number, right, key)
    value = left << HALF_BITS | right
    letters = []
    for _ in range(LENGTH):
        value, place = divmod(value, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(reversed(letters))


def serial_of(code: str, key: bytes) -> int | None:
    """Return the serial number of a normalised code, None if it is none. Every serial may be one that was never issued."""
    if len(code) != LENGTH or any(letter not in PLACES for letter in code):
        return None
    value = 0
    for letter in code:
        value = value * len(ALPHABET) + PLACES[letter]
    if value >= SERIALS:
        return None
    left, right = value >> HALF_BITS, value & MASK
    for number in reversed(range(ROUNDS)):
        left, right = right ^ round_of(number, left, key), left
    return left << HALF_BITS | right


def round_of(number: int, half: int, key: bytes) -> int:
    message = bytes((number,)) + half.to_bytes(4, "big")
    return int.from_bytes(blake2s(message, key=key, digest_size=4).digest(), "big") & MASK


def normalised(entered: str) -> str:
    """Return a code as it was meant: capitals, without spaces and dashes, and B, S, Z read as 8, 5, 2.

    >>> normalised(" cdb-234 "), shown("CD8234CD8234")
    ('CD8234', 'CD82-34CD-8234')
    """
    return "".join(letter for letter in entered.upper() if letter.isalnum()).translate(MISREAD)


def shown(code: str) -> str:
    """Return a code in groups of four letters."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
