"""Generates ``docs/console.md`` from the command line itself: ``python -m streams.docs.console``."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click

from streams.cli.main import regulars

EXAMPLES = {
    "acts": "regulars acts --by api:shop",
    "audit": "regulars audit --by year",
    "backtest": "regulars backtest docs/policies/strict-returns.yaml --html backtest.html",
    "codes check": "regulars codes check 7CKF-H2XM-9QRT",
    "codes issue": "regulars codes issue spring --batch letters --count 1000",
    "codes revoke": "regulars codes revoke spring letters --reason leaked",
    "completion": "regulars completion bash",
    "dead-letters drop": "regulars dead-letters drop 'card.1:63354'",
    "dead-letters list": "regulars dead-letters list",
    "dead-letters retry": "regulars dead-letters retry 'card.1:63354'",
    "dead-letters show": "regulars dead-letters show 'card.1:63354'",
    "demo": "regulars demo --weeks 8",
    "diff": "regulars diff 1057 --from 2017-03-01 --to 2017-04-01",
    "digest": "regulars digest --wait 30",
    "doctor": "regulars doctor",
    "erase": "regulars erase 1057 --yes",
    "evaluate": "regulars evaluate shop.jsonl --task next-basket --protocol last-basket",
    "checkout": "regulars checkout c-1 o-1 --code SPRING --shipping standard=490 --seen 2290",
    "export shop-log": "regulars export shop-log backup.jsonl.gz",
    "follow": "regulars follow --once",
    "import complete-journey": "regulars import complete-journey --weeks 8",
    "import shop-log": "regulars import shop-log shop.jsonl --timezone Europe/Paris",
    "key create": "regulars key create shop --scope storefront --scope back-office",
    "key list": "regulars key list",
    "key revoke": "regulars key revoke 5f0c2a9be41d7730",
    "lag": "regulars lag --check 1000",
    "log new-keys": "regulars log new-keys",
    "log rebuild-limits": "regulars log rebuild-limits",
    "log copy": 'regulars log copy "$REGULARS_HOME" "$DATABASE_URL"',
    "migrate": "regulars migrate",
    "model show": "regulars model show",
    "policy check": "regulars policy check policy.yaml",
    "policy diff": "regulars policy diff 1 2",
    "policy history": "regulars policy history",
    "policy publish": "regulars policy publish policy.yaml --effective 2027-01-01",
    "policy show": "regulars policy show 2",
    "price": "regulars price docs/prices/cart.json",
    "quality": "regulars quality --by week --html quality.html",
    "recommend": "regulars recommend 1057",
    "redis": "regulars redis HGETALL v1:product:1082185",
    "relay": "regulars relay",
    "replay": "regulars replay card --throttle 0.5",
    "report": "regulars report orders --snapshot tables",
    "send": "regulars send RegisterMember member=ada name=Ada --dry-run",
    "serve": "regulars serve --port 8000",
    "show member": "regulars show member 1057",
    "show order": "regulars show order 31316738782",
    "show product": "regulars show product 1082185",
    "snapshot": "regulars snapshot tables --at 2017-12-31T23:59",
    "stop": "regulars stop",
    "tick": "regulars tick --at 2027-03-06T00:00",
    "topics": "regulars topics",
    "trace": "regulars trace '#63354'",
    "up": "regulars up --weeks 2",
    "verify": "regulars verify --sample 1000",
    "view": "regulars view card:1057 --at 2017-03-01",
    "webhook add": "regulars webhook add https://shop.example.com/hooks --kind OrderPaid --kind PointsGranted",
    "webhook dead-letters": "regulars webhook dead-letters wh5f0c2a9be41d7730",
    "webhook list": "regulars webhook list",
    "webhook remove": "regulars webhook remove wh5f0c2a9be41d7730",
    "webhook replay": "regulars webhook replay wh5f0c2a9be41d7730 --since 63354",
    "webhook resend": "regulars webhook resend wh5f0c2a9be41d7730 63354",
    "webhook rotate": "regulars webhook rotate wh5f0c2a9be41d7730 --keep 24h",
    "webhook send": "regulars webhook send",
    "webhook test": "regulars webhook test wh5f0c2a9be41d7730",
    "why": "regulars why 1057 points --verbose",
    "worker": "regulars worker",
}
"""An example of each command; a test parses them."""


def leaves(command: click.Command = regulars, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that has no subcommands, by its full name, in alphabetical order."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for word in sorted(command.list_commands(context)):
        found = command.get_command(context, word)
        if found is not None:
            yield from leaves(found, f"{name} {word}".strip())


def page() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# Commands of the console"
    yield ""
    yield "<!-- generated from the command line by `make docs`; a test keeps it up to date -->"
    yield ""
    yield "Every command has `--help`. Data goes to standard output; sentences and progress go to standard error."
    yield "With `--json`, the data is JSON: money in minor units, instants in UTC epoch milliseconds."
    yield "All commands share the same [exit statuses](operating.md#exit-statuses)."
    yield ""
    found = dict(leaves())
    yield "| command | what it does |"
    yield "|---|---|"
    for name, command in found.items():
        yield f"| [`regulars {name}`](#regulars-{name.replace(' ', '-')}) | {sentences(command)[0]} |"
    yield ""
    for name, command in found.items():
        yield from section(name, command)


def sentences(command: click.Command) -> list[str]:
    """Return the paragraphs of a command's help, each on one line."""
    return [" ".join(part.split()) for part in cleandoc(command.help or "").split("\n\n")]


def section(name: str, command: click.Command) -> Iterator[str]:
    """Yield the part of the page about one command."""
    yield f"## regulars {name}"
    yield ""
    for paragraph in sentences(command):
        yield paragraph
        yield ""
    yield "```"
    yield EXAMPLES[name]
    yield "```"
    yield ""
    rows = list(parameters(command))
    if rows:
        yield "| argument or option | type | default | |"
        yield "|---|---|---|---|"
        yield from rows
        yield ""


def parameters(command: click.Command) -> Iterator[str]:
    """Yield a row for each argument and option."""
    context = click.Context(command)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.hidden:
            continue
        name = ", ".join(parameter.opts) if isinstance(parameter, click.Option) else parameter.make_metavar(context)
        words = escaped(getattr(parameter, "help", None) or "")
        yield f"| `{escaped(name)}` | {type_of(parameter)} | {default_of(parameter)} | {words} |"


def type_of(parameter: click.Parameter) -> str:
    """Return the type of a parameter in words."""
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return "flag"
    if isinstance(parameter.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in parameter.type.choices)
    if isinstance(parameter.type, click.IntRange | click.FloatRange):
        low, high = parameter.type.min, parameter.type.max
        bounds = f" from {low}" * (low is not None) + f" to {high}" * (high is not None)
        return ("whole number" if isinstance(parameter.type, click.IntRange) else "number") + bounds
    return {"integer": "whole number", "path": "path", "text": "text"}.get(parameter.type.name, "text")


def default_of(parameter: click.Parameter) -> str:
    """Return the default of a parameter, ``required`` if it must be given."""
    if parameter.required:
        return "required"
    plain = isinstance(parameter.default, str | int | float) and not isinstance(parameter.default, bool)
    return f"`{parameter.default}`" if plain and str(parameter.default) not in ("", "~") else ""


def escaped(text: str) -> str:
    """Return text for a cell of a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - it is what this module is run for
