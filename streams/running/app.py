"""Putting a running system together from its settings, and taking it apart again."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

from redis.exceptions import NoPermissionError

from aggregates.programme import Policies, Programme
from infra.codec import Codec
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis, connect
from infra.errors import Misconfigured
from infra.event_log.log import EventLog
from infra.event_log.postgres.log import PostgresLog
from infra.event_log.postgres.schema import LOG
from infra.event_log.sqlite.log import SqliteLog
from infra.event_log.types import Shop
from infra.keys.postgres import KEYS, PostgresKeys
from infra.keys.ring import KeyRing
from infra.keys.sqlite import SqliteKeys
from infra.postgres.address import shown
from infra.postgres.migrate import migrate
from infra.redis import address
from infra.redis.views import Views
from infra.settings import Settings
from streams.commands.handler import Handler
from streams.projecting.dispatch import Dispatch
from streams.projecting.follower import Follower
from streams.projecting.loaders import Fold, loader_of
from streams.registry import EVENTS, folds, projections


@dataclass(frozen=True)
class App:
    """A running system in the embedded mode."""

    settings: Settings
    terms: Programme
    log: EventLog
    keys: KeyRing
    views: Views
    handler: Handler

    def under(self, version: str) -> App:
        """The same system, writing its read models under another version's keys."""
        return replace(self, views=Views(self.views.client, version))

    @property
    def feed(self) -> str:
        """What keeps the read models up: workers of the ``topics``, or whoever writes to the ``log`` or follows it."""
        return self.views.feed() or ("topics" if self.settings.kafka else "log")

    def follower(self, models: bool = True) -> Follower:
        """A follower of every read model; without ``models``, the learner waits where it is."""
        return self.feeding(folds(self.terms) if models else projections(self.terms), complete=models)

    def feeding(self, some: Iterable[Fold], complete: bool = False) -> Follower:
        """A follower of some folds. ``complete``: they are all there are."""
        self.views.fed_by("log")
        feeds = [loader_of(fold, self.terms.zone, self.views) for fold in some]
        return Follower(self.log, Dispatch(self.views, feeds), complete)


@contextmanager
def running(settings: Settings, shop: Shop | None = None) -> Iterator[App]:
    """The system of these settings. ``shop``: what a new log belongs to, and an existing one must."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        stack.enter_context(seldom_collected())
        log, keys = stack.enter_context(open_log(settings))
        mine = log.shop(shop or Shop(settings.zone, settings.currency), chosen=shop is not None)
        terms = Programme(mine.zone, mine.currency)
        views = stack.enter_context(connected(settings))
        views.announce(log.identity())
        handler = stack.enter_context(closing(Handler(log, keys, Policies.first(mine.zone, mine.currency))))
        yield App(settings, terms, log, keys, views, handler)


@contextmanager
def open_log(settings: Settings) -> Iterator[tuple[EventLog, KeyRing]]:
    """The log of these settings and the keys that belong to it.

    Raises :class:`Misconfigured` if its tables must be migrated first, :class:`Unreachable` if its database does not answer.
    """
    url = log_url(settings)
    if url is None and settings.keys_database_url:
        raise Misconfigured("KEYS_DATABASE_URL is set, but the log is a SQLite file, whose keys are one too: set DATABASE_URL.")
    with ExitStack() as stack:
        store = PostgresKeys(settings.keys_database_url or url) if url else SqliteKeys(settings.keys)
        keys = stack.enter_context(closing(KeyRing(store)))
        codec = Codec(EVENTS.values(), keys)
        log = PostgresLog(url, codec, settings.database_pool) if url else SqliteLog(settings.log, codec)
        yield stack.enter_context(closing(log)), keys


def log_url(settings: Settings) -> str | None:
    """The PostgreSQL to use: the one named, else the home's own, started and migrated if need be; None for a SQLite file."""
    if settings.database_url:
        return settings.database_url
    if not settings.postgres.exists():
        return None
    packaged = EmbeddedPostgres(settings.postgres)
    packaged.start()
    for _ in migrated(settings, packaged.url):
        pass
    return packaged.url


@dataclass(frozen=True)
class Migrated:
    """``before``, ``after``: versions of the tables. ``where``: no password."""

    what: str
    where: str
    before: int
    after: int


def migrated(settings: Settings, url: str) -> Iterator[Migrated]:
    """The tables of log and keys, brought to this program's version one after the other."""
    for tables, where in ((LOG, url), (KEYS, settings.keys_database_url or url)):
        yield Migrated(tables.what, shown(where), *migrate(where, tables))


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Facts and views hold no cycles, so the collector would walk millions of live objects for nothing: a fifth of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def connected(settings: Settings) -> Iterator[Views]:
    """The read models of these settings. Raises :class:`Misconfigured` where Redis does not let its user do what is done."""
    url = redis_url(settings)
    views = Views(connect(url))
    try:
        yield views
    except NoPermissionError as fault:
        raise Misconfigured(f"Redis at {address.shown(url)} refuses ({fault}): allow it to the user of REDIS_URL.") from fault
    finally:
        views.client.close()


def redis_url(settings: Settings) -> str:
    """The Redis to use: the one named, else the embedded one, started if need be."""
    if settings.redis_url:
        return settings.redis_url
    embedded = EmbeddedRedis(settings.valkey)
    embedded.start()
    return embedded.url
