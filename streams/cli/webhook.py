"""``regulars webhook``: endpoints that are told what happens."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import ClassVar

import click

from infra.event_log.log import EventLog
from infra.settings import Settings, from_environment
from infra.telemetry.logs import configure_logging
from infra.webhooks.post import check_target
from infra.webhooks.store import Endpoint, WebhookStore
from streams.cli.console import AS_JSON, CommandFailed, echo, grid, print_json, say, show_parts
from streams.cli.groups import CommandGroup
from streams.cli.serve import now, utc
from streams.running.app import open_log
from streams.web.acts import admin_acts, console_actor, noted
from streams.web.operations import LONGEST_KEPT
from streams.webhooks.messages import KINDS, open_store, unknown_kinds
from streams.webhooks.sender import WebhookSender, send_until_told


@contextmanager
def opened() -> Iterator[tuple[Settings, EventLog, WebhookStore]]:
    """Open the log of the environment's settings, and its webhooks."""
    settings = from_environment()
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open_log(settings) as (log, keys), closing(open_store(settings, keys)) as store:
        yield settings, log, store


def named(store: WebhookStore, id: str) -> Endpoint:  # noqa: A002 - the argument's name on the command line
    if (found := store.find(id)) is None:
        raise CommandFailed(f"There is no webhook {id}; `regulars webhook list` shows them.")
    return found


@click.group(cls=CommandGroup)
def webhook() -> None:
    """Webhooks: endpoints that are told what happens."""


@webhook.command("add")
@click.argument("url")
@click.option("--kind", "kinds", multiple=True, required=True, metavar="EVENT", help="An event, such as OrderPaid; repeatable.")
@click.option("--personal", is_flag=True, help="Tell it personal values, too: names, addresses, birthdays.")
@AS_JSON
def add(url: str, kinds: Sequence[str], personal: bool, as_json: bool) -> None:
    """Tell URL of every event of these kinds from now on, and print the secret that signs: it is not shown again."""
    if wrong := unknown_kinds(kinds):
        near = [kind for kind in KINDS if wrong[0].lower() in kind.lower()]
        hint = f" Did you mean {', '.join(near[:5])}?" if near else " `docs/events.md` lists them."
        raise CommandFailed(f"There is no event {wrong[0]}.{hint}")
    with opened() as (settings, log, store):
        try:
            check_target(url, settings.private_webhooks)
        except ValueError as fault:
            raise CommandFailed(str(fault)) from None
        with noted(admin_acts(settings), console_actor(), "webhook.add", url, now()):
            made, secret = store.add(url, list(dict.fromkeys(kinds)), personal, log.head(), now())
    if as_json:
        print_json({**asdict(made), "secret": secret})
        return
    say(f"Webhook {made.id} is told what follows position {made.told:,}. Its secret, which is not shown again:")
    echo(secret)


@webhook.command("list")
@AS_JSON
def listed(as_json: bool) -> None:
    """Show every webhook: how far it was told, what waits for another attempt, and how many dead letters it has."""
    with opened() as (_, log, store):
        found = [(one, len(store.waiting(one.id)), len(store.dead_letters(one.id))) for one in store.all()]
        head = log.head()
    if as_json:
        print_json([{**asdict(one), "waiting": waits, "dead_letters": dead, "head": head} for one, waits, dead in found])
        return
    rows = (
        (one.id, one.url, ", ".join(one.kinds), "yes" if one.personal else "no", one.told, waits, dead, one.disabled or "-")
        for one, waits, dead in found
    )
    columns = ("id", "url", "kinds", "personal", "told", "waiting", "dead", "disabled")
    show_parts(grid(f"Webhooks (the log is at {head:,})", columns, rows, numbers=(4, 5, 6), wraps=(2, 7)))


@webhook.command("remove")
@click.argument("id")
def remove(id: str) -> None:  # noqa: A002 - the argument's name on the command line
    """Forget the webhook ID, with what waits for it and its dead letters."""
    with opened() as (settings, _, store):
        endpoint = named(store, id)
        with noted(admin_acts(settings), console_actor(), "webhook.remove", id, now()):
            store.remove(endpoint.id)
    say(f"Webhook {id} is gone.")


@webhook.command("test")
@click.argument("id")
@AS_JSON
def test(id: str, as_json: bool) -> None:  # noqa: A002 - the argument's name on the command line
    """Send the webhook ID a message of the kind webhook.test now, once. Exit status 1 if it does not take it."""
    with opened() as (settings, log, store):
        attempt = asyncio.run(WebhookSender(log, store, settings.private_webhooks).ping(named(store, id)))
    if as_json:
        print_json({"taken": attempt.taken, "answer": attempt.answer})
    elif attempt.taken:
        say(f"It took the message ({attempt.answer}).")
    if not attempt.taken:
        raise CommandFailed(f"It did not take the message: {attempt.answer}.")


class Span(click.ParamType):
    """A span of time as people write it: ``90s``, ``30m``, ``24h`` or ``7d``; its value is in milliseconds."""

    name = "span"
    units: ClassVar[dict[str, int]] = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number, unit = value[:-1], value[-1:]
        if not (number.isascii() and number.isdigit() and unit in self.units):
            self.fail(f"{value!r} is no span of time: write 90s, 30m, 24h or 7d.", param, ctx)
        if (span := int(number) * self.units[unit]) > LONGEST_KEPT * 1000:
            self.fail("an old secret is kept for 30 days at most.", param, ctx)
        return span


@webhook.command("rotate")
@click.argument("id")
@click.option(
    "--keep", type=Span(), default="24h", show_default=True, metavar="SPAN", help="How long the old secret signs, too."
)
@AS_JSON
def rotate(id: str, keep: int, as_json: bool) -> None:  # noqa: A002 - the argument's name on the command line
    """Give the webhook ID a new secret and print it: it is not shown again. Until the old one ends, both sign each message."""
    with opened() as (settings, _, store):
        endpoint = named(store, id)
        until = now() + keep
        with noted(admin_acts(settings), console_actor(), "webhook.rotate", id, now()):
            if (secret := store.rotate(endpoint.id, now(), until)) is None:
                raise CommandFailed(f"There is no webhook {id}; `regulars webhook list` shows them.")
    if as_json:
        print_json({"webhook": id, "secret": secret, "old_until": until})
        return
    say(f"Webhook {id} has a new secret, which is not shown again; the old one signs, too, until {utc(until)} (UTC).")
    echo(secret)


@webhook.command("replay")
@click.argument("id")
@click.option("--since", required=True, type=click.IntRange(0), metavar="POSITION", help="Tell again what follows this one.")
def replay(id: str, since: int) -> None:  # noqa: A002 - the argument's name on the command line
    """Tell the webhook ID again what follows a position of the log, under the same message ids; enable it, too."""
    with opened() as (settings, log, store):
        endpoint = named(store, id)
        if since > (head := log.head()):
            raise CommandFailed(f"The log ends at {head:,}.")
        with noted(admin_acts(settings), console_actor(), "webhook.replay", f"{id} since {since}", now()):
            store.replay(endpoint.id, since)
    say(f"Webhook {id} is told again what follows position {since:,}.")


@webhook.command("dead-letters")
@click.argument("id")
@AS_JSON
def dead_letters(id: str, as_json: bool) -> None:  # noqa: A002 - the argument's name on the command line
    """Show what the webhook ID never took, and what its receiver answered last."""
    with opened() as (_, _log, store):
        found = store.dead_letters(named(store, id).id)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = ((one.position, one.key, one.attempts, utc(one.at), one.answer) for one in found)
    show_parts(grid("Dead letters", ("position", "key", "attempts", "given up (UTC)", "last answer"), rows, wraps=(4,)))


@webhook.command("resend")
@click.argument("id")
@click.argument("position", type=click.IntRange(1))
def resend(id: str, position: int) -> None:  # noqa: A002 - the argument's name on the command line
    """Send the webhook ID the dead letter of a POSITION again, with as many attempts as at first."""
    with opened() as (settings, _, store):
        endpoint = named(store, id)
        with noted(admin_acts(settings), console_actor(), "webhook.resend", f"{id} {position}", now()):
            if not store.resend(endpoint.id, position):
                raise CommandFailed(f"Webhook {id} has no dead letter at position {position:,}.")
    say(f"Position {position:,} is sent to {id} again.")


@webhook.command("send")
def send() -> None:
    """Send until Ctrl-C. `regulars serve` does so in the embedded mode; of several processes, one sends and the others wait."""
    configure_logging(from_environment().telemetry)
    with opened() as (settings, log, store):
        asyncio.run(_until_stopped(WebhookSender(log, store, settings.private_webhooks)))


async def _until_stopped(sender: WebhookSender) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await send_until_told(sender, stopped)
