"""``regulars``: the operator's command. A command is imported when it is called, so none waits for the libraries of another."""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from infra.errors import Fault
from infra.printable import printable
from streams.cli.groups import CommandGroup
from streams.cli.summaries import SUMMARIES
from streams.running.processes import tie_to_parent

COMMANDS = {
    "acts": "acts:acts",
    "audit": "audit:audit_books",
    "backtest": "backtest:backtest",
    "checkout": "checkout:checkout",
    "codes": "codes:codes",
    "completion": "completion:completion",
    "dead-letters": "dead_letters:dead_letters",
    "demo": "demo:demo",
    "diff": "view:diff",
    "digest": "doctor:digest",
    "doctor": "doctor:doctor",
    "erase": "send:erase",
    "evaluate": "evaluate:evaluate",
    "export": "export:export",
    "follow": "follow:follow",
    "import": "import_:import_data",
    "key": "serve:key",
    "lag": "doctor:lag",
    "log": "servers:log",
    "migrate": "servers:migrate",
    "model": "model:model",
    "policy": "policy:policies",
    "price": "price:pricing",
    "quality": "model:quality",
    "recommend": "recommend:recommend",
    "redis": "servers:redis",
    "relay": "relay:relay",
    "replay": "replay:replay",
    "report": "report:report",
    "send": "send:send",
    "serve": "serve:serve",
    "show": "show:show",
    "snapshot": "snapshot:snapshot",
    "stop": "servers:stop",
    "tick": "follow:record_due",
    "topics": "relay:topics",
    "trace": "trace:trace",
    "up": "up:up",
    "verify": "verify:verify",
    "view": "view:view",
    "webhook": "webhook:webhook",
    "why": "why:why",
    "worker": "worker:worker",
}
"""Each command with its module in ``streams/cli`` and its name there."""


class Commands(CommandGroup):
    """The commands of the table."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _colon, attribute = COMMANDS[name].partition(":")
        found: click.Command = getattr(import_module(f"streams.cli.{module}"), attribute)
        return found

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(name, help=does) for name, does in SUMMARIES.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="regulars", message="regulars %(version)s")
@click.option("--tied", is_flag=True, hidden=True, help="End when standard input does.")
def regulars(tied: bool) -> None:
    """Event-sourced membership and real-time recommendations for online shops."""
    if tied:
        tie_to_parent()


OUTSIDE = {"sqlite3", "redis", "psycopg", "eventsourcing", "kafka", "aiokafka"}
"""Libraries whose exceptions mean that something outside has failed."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def main() -> None:
    """Run a command. A fault ends it with a sentence on standard error and exit status 2, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal's encoding lacks is shown, not a fault
    try:
        status = run()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    with suppress(ValueError):  # a thread that is not the main one has no signals
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left to do takes no time, and has no one to tell
    sys.exit(flush() or status)


def run() -> int:
    """Run a command and return its exit status. Raises only what is an error of the program."""
    try:
        status = regulars.main(standalone_mode=False)
    except click.ClickException as problem:
        with suppress(OSError):
            problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        end_with("Interrupted.")
        return INTERRUPTED
    except Fault as fault:
        end_with(str(fault))
        return 2
    except Exception as fault:
        if not is_outside(fault):
            raise
        end_with(f"Something outside has failed: {reason_of(fault)}.")
        return 2
    return status if isinstance(status, int) else 0


def is_outside(fault: BaseException) -> bool:
    """Return whether the operating system or a server has failed, and not the program.

    >>> is_outside(OSError(28, "No space left on device")), is_outside(KeyError("x"))
    (True, False)
    """
    return isinstance(fault, OSError) or any(kind.__module__.partition(".")[0] in OUTSIDE for kind in type(fault).__mro__)


def reason_of(fault: BaseException) -> str:
    """Return what a fault says, with the file that it is about.

    >>> reason_of(OSError(17, "File exists", "/shop")), reason_of(OSError(28, "No space left on device"))
    ('/shop: File exists', 'No space left on device')
    """
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror
    return str(fault).rstrip(".") or type(fault).__name__


def end_with(sentence: str) -> None:
    """Print the sentence with which a command ends; the exit status counts even if nobody can read it."""
    with suppress(OSError):
        click.echo(f"regulars: {printable(sentence)}", err=True)


def flush() -> int:
    """Write out what standard output still holds, and return exit status 2 if that is not possible, else 0."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as fault:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the interpreter does not fail over it again
        if not isinstance(fault, BrokenPipeError):
            end_with(f"Standard output cannot be written: {fault.strerror or fault}.")
        return 2
    return 0
