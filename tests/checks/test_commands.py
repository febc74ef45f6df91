"""The console's table of commands, and what a command does not wait for."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from streams.cli.main import COMMANDS, regulars


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says_and_has_the_name_it_says(name: str) -> None:
    command = regulars.get_command(click.Context(regulars), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


def loaded_by(module: str) -> set[str]:
    """The libraries that importing a module brings along, in a new interpreter."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in told.stdout.split()}


def test_no_command_waits_for_the_libraries_of_another() -> None:
    assert not {"kafka", "faust", "redis", "numpy", "rich"} & loaded_by("streams.cli.main")
    assert not {"faust", "scipy"} & loaded_by("streams.cli.relay")
    assert "scipy" not in loaded_by("streams.cli.worker"), "only a learner, once there is one, needs it"
