"""Rates: rationals, so that no float ever touches money or points."""

from __future__ import annotations

from typing import TypeAlias

Rate: TypeAlias = tuple[int, int]
"""A rational: numerator, denominator."""
