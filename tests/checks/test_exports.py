"""Every event of the registry has its place in an exported shop-log, so that a later one cannot be forgotten."""

from __future__ import annotations

from streams.exports.shop_log.commands import COMMAND_OF
from streams.exports.shop_log.importer import FOLLOWS
from streams.imports.shop_log.plans import COMMAND_NAMES
from streams.registry import EVENTS

LEFT_OUT = {"SessionKept": "the line of an act says it, or of a session that is joined again"}
"""Events that no exported line names, each with the reason."""


def test_every_event_is_exported_by_a_command_or_follows_or_is_left_out_with_a_reason() -> None:
    found = [*(event.__name__ for event in COMMAND_OF), *(event.__name__ for event in FOLLOWS), *LEFT_OUT]
    assert sorted(found) == sorted(event.__name__ for event in EVENTS), (
        "add it to COMMAND_OF (streams/exports/shop_log/commands.py) or FOLLOWS (importer.py there)"
    )
    assert all(LEFT_OUT.values())


def test_every_exported_command_can_be_imported() -> None:
    assert {command.__name__ for command in COMMAND_OF.values()} <= set(COMMAND_NAMES)
