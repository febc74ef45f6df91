"""For tests that hold whatever database the log is in."""

from __future__ import annotations

import pytest

in_both_databases = pytest.mark.parametrize("kept_in", ["sqlite", "postgres"], indirect=True)
"""The fixture ``settings``, and whatever comes of it, once with each."""
