"""Commands of Regulars as they stand in a line, for what no other type of line can say."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from aggregates.decider import Refusal
from aggregates.value import field_names
from streams.imports.shop_log.lines import CommandLine
from streams.registry import COMMANDS, REACTIONS

BY_NAME: dict[str, type] = {command.__name__: command for command in COMMANDS if command not in REACTIONS}
"""Without those that policies alone give: an import decides them anew."""


def recorded(line: CommandLine, at: int) -> Iterator[object]:
    """Raises ``Refusal`` for a command that there is not, or values that are not its own."""
    command = BY_NAME.get(line.command)
    if command is None:
        raise Refusal("command_unknown", f"There is no command named {line.command[:80]!r}.")
    if "policies" in line.values:
        raise Refusal("command_invalid", f"{line.command}: the policies are the shop's own.")
    values = {**line.values, **({"at": at} if "at" in field_names(command) else {})}
    try:
        yield msgspec.convert(values, command)
    except (msgspec.ValidationError, TypeError) as fault:
        raise Refusal("command_invalid", f"{line.command}: {fault}.") from None
