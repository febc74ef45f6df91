"""``regulars serve`` and ``regulars key``: the HTTP API, and the keys by which its callers are known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict

import click
import uvloop

from infra.settings import Settings, from_environment
from streams.cli.console import AS_JSON, CommandFailed, echo, grid, print_json, say, show_parts
from streams.running.app import App
from streams.web.acts import admin_acts, console_actor, noted
from streams.web.doors import KEY_SCOPES
from streams.web.server import Address, api_keys
from streams.web.server import serve as serve_api

SCOPES = [scope.value for scope in KEY_SCOPES]


def now() -> int:
    return int(time.time() * 1000)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--limit", default=6000, show_default=True, type=click.IntRange(1), help="Requests a client may make a minute.")
def serve(host: str, port: int, limit: int) -> None:
    """Serve the HTTP API, with a follower beside it in the embedded mode. On a new home, print a key once."""
    settings = from_environment()
    first_key(settings)

    def ready(_: App) -> None:
        say(f"Serving http://{host}:{port}/docs; Ctrl-C ends it.")

    uvloop.run(serve_api(settings, Address(host, port, limit), ready))


def first_key(settings: Settings) -> None:
    """Make a key with every scope if there never was one, and print it: it is not to be had again."""
    keys = api_keys(settings)
    if not keys.all():
        with noted(admin_acts(settings), console_actor(), "key.create", "first", now()):
            made, text = keys.create("first", SCOPES, now())
        say(f"A first key, with every scope; keep it, it is not shown again ({made.id} revokes it):")
        echo(text)


@click.group()
def key() -> None:
    """API keys: create, list and revoke them."""


@key.command("create")
@click.argument("client")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, required=True, help="What it may do; repeatable.")
@AS_JSON
def create(client: str, scopes: Sequence[str], as_json: bool) -> None:
    """Make a key for CLIENT and print it: it is not to be had again.

    Keys of one client share its idempotency keys, so that a key can be replaced while requests are retried.
    """
    settings = from_environment()
    keys = api_keys(settings)
    with noted(admin_acts(settings), console_actor(), "key.create", client, now()):
        made, text = keys.create(client, list(dict.fromkeys(scopes)), now())
    if as_json:
        print_json({"id": made.id, "client": client, "scopes": list(made.scopes), "key": text})
    else:
        echo(text)


@key.command("list")
@AS_JSON
def listed(as_json: bool) -> None:
    """Show every key, without its secret."""
    keys = api_keys(from_environment()).all()
    if as_json:
        print_json([asdict(one) for one in keys])
        return
    rows = ((one.id, one.client, ", ".join(one.scopes), utc(one.created), utc(one.revoked)) for one in keys)
    show_parts(grid("API keys", ("id", "client", "scopes", "created", "revoked"), rows))


def utc(at: int | None) -> str:
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(at / 1000))


@key.command("revoke")
@click.argument("id")
def revoke(id: str) -> None:  # noqa: A002 - the argument's name on the command line
    """Revoke the key with this ID; within five seconds nobody gets in with it."""
    settings = from_environment()
    keys = api_keys(settings)
    if id not in {one.id for one in keys.all() if one.revoked is None}:
        raise CommandFailed(f"There is no key {id} that could be revoked.")
    with noted(admin_acts(settings), console_actor(), "key.revoke", id, now()):
        keys.revoke(id, now())
    say(f"Key {id} is revoked.")
