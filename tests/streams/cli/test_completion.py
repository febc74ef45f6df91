"""Completion as a real bash does it, and as zsh asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.regulars import Regulars

BIN = Path(sys.executable).parent
SCRIPT = """
eval "$(regulars completion bash)"
complete -p regulars >/dev/null
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_regulars_completion regulars
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed_by_bash(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    script = SCRIPT.format(words=" ".join(f"'{word}'" for word in ("regulars", *words)))
    done = subprocess.run(
        ["/bin/bash", "--norc", "-euc", script],
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["webh"], ["webhook"]),
        (["webhook", "de"], ["dead-letters"]),
        (["key", "create", "shop", "--sc"], ["--scope"]),
        (["key", "create", "shop", "--scope", "ana"], ["analyst"]),
        (["no-such-thing", "x"], []),
    ],
)
def test_bash_offers_what_may_follow(words: list[str], offered: list[str]) -> None:
    assert completed_by_bash(*words) == offered


def test_zsh_is_given_a_script_and_answers_with_descriptions(tmp_path: Path) -> None:
    status, out, err = Regulars(tmp_path).run("completion", "zsh")
    assert status == 0, err
    assert out.lstrip().startswith("#compdef regulars")
    asked = {**os.environ, "_REGULARS_COMPLETE": "zsh_complete", "COMP_WORDS": "regulars webh", "COMP_CWORD": "1"}
    done = subprocess.run([str(BIN / "regulars")], env=asked, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[:2] == ["plain", "webhook"]
