"""The console's table of commands: each exists, says what it does, prints JSON, and imports only what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from streams.cli.groups import LONGEST
from streams.cli.main import COMMANDS, regulars
from streams.cli.summaries import SUMMARIES


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_its_module_and_has_its_name(name: str) -> None:
    command = regulars.get_command(click.Context(regulars), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


def test_what_help_says_of_a_command_is_its_own_first_sentence() -> None:
    context = click.Context(regulars)
    commands = {name: regulars.get_command(context, name) for name in COMMANDS}
    told = {name: command.get_short_help_str(LONGEST) for name, command in commands.items() if command is not None}
    assert list(SUMMARIES.items()) == list(told.items())


WITHOUT_JSON = {
    "log new-keys",
    "dead-letters drop",  # these do something, and show nothing
    "dead-letters retry",
    "follow",
    "key revoke",
    "policy publish",
    "relay",
    "serve",
    "stop",
    "up",
    "worker",
    "codes revoke",
    "completion",  # prints a script for a shell
    "webhook remove",
    "webhook replay",
    "webhook resend",
    "webhook send",
    "export shop-log",  # writes JSON lines anyway
    "redis",  # passes its words on to Redis
}


def leaves(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that has no subcommands, by its full name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        found = command.get_command(context, word)
        assert found is not None
        yield from leaves(found, f"{name} {word}".strip())


LEAVES = dict(leaves(regulars))


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_that_shows_something_prints_json(name: str) -> None:
    options = {option for parameter in LEAVES[name].params for option in parameter.opts}
    assert ("--json" in options) == (name not in WITHOUT_JSON)
    assert set(LEAVES) >= WITHOUT_JSON


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    assert LEAVES[name].help
    for parameter in LEAVES[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def loaded_by(module: str) -> set[str]:
    """Return the libraries that a new interpreter loads with a module."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in told.stdout.split()}


def test_no_command_imports_the_libraries_of_another() -> None:
    assert not {"kafka", "faust", "redis", "numpy", "rich"} & loaded_by("streams.cli.main")
    assert not {"faust", "scipy"} & loaded_by("streams.cli.relay")
    assert "scipy" not in loaded_by("streams.cli.worker"), "only a learner, once there is one, needs it"
