"""Completion as a real bash does it, and as zsh asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.journey.regulars import Regulars

BIN = Path(sys.executable).parent
SCRIPT = """
eval "$(regulars completion bash)"
complete -p regulars >/dev/null
while read -ra COMP_WORDS; do
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
    _regulars_completion regulars
    echo "${COMPREPLY[@]}"
done
"""


def completed_by_bash(*typed: str) -> list[list[str]]:
    """What bash offers for the last word of each line that was typed."""
    done = subprocess.run(
        ["/bin/bash", "--norc", "-euc", SCRIPT],
        input="".join(f"{line}\n" for line in typed),
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_bash_offers_what_may_follow() -> None:
    offered = {
        "regulars webh": ["webhook"],
        "regulars webhook de": ["dead-letters"],
        "regulars key create shop --sc": ["--scope"],
        "regulars key create shop --scope ana": ["analyst"],
        "regulars no-such-thing x": [],
    }
    assert completed_by_bash(*offered) == list(offered.values())


def test_zsh_is_given_a_script_and_answers_with_descriptions(tmp_path: Path) -> None:
    status, out, err = Regulars(tmp_path).run("completion", "zsh")
    assert status == 0, err
    assert out.lstrip().startswith("#compdef regulars")
    asked = {**os.environ, "_REGULARS_COMPLETE": "zsh_complete", "COMP_WORDS": "regulars webh", "COMP_CWORD": "1"}
    done = subprocess.run([str(BIN / "regulars")], env=asked, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[:2] == ["plain", "webhook"]
