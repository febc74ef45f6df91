"""Open a system from its settings, and close it."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from redis.exceptions import NoPermissionError

from aggregates.programme import Policies, Programme
from infra.codec import Codec
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedRedis, connect
from infra.errors import Misconfigured
from infra.event_log.log import EventLog
from infra.event_log.postgres import PostgresLog
from infra.event_log.schema import LOG_TABLES
from infra.event_log.sqlite import SqliteLog
from infra.event_log.types import Shop
from infra.keys.ring import KeyRing
from infra.keys.stores import KEY_TABLES, PostgresKeys, SqliteKeys
from infra.postgres.connection import redact_url
from infra.postgres.migrate import migrate
from infra.private_files import make_home
from infra.redis import address
from infra.redis.checkpoints import LOG
from infra.redis.versions import field_of_fold
from infra.redis.views import Views
from infra.rejects_file import purge_rejects
from infra.settings import Settings
from streams.commands.handler import Handler
from streams.projecting.dispatch import Dispatch
from streams.projecting.follower import Followed, Follower
from streams.projecting.kept import kept_versions
from streams.projecting.loaders import Fold, loader_of
from streams.projecting.readiness import fitting_folds, refuse_eviction
from streams.registry import EVENTS, folds, projections


@dataclass(frozen=True)
class App:
    """An open system: log, keys, read models and command handler."""

    settings: Settings
    terms: Programme
    log: EventLog
    keys: KeyRing
    views: Views
    handler: Handler

    def under(self, version: str) -> App:
        """Return the same system with its read models under another version's keys."""
        return replace(self, views=Views(self.views.client, version))

    def announce(self) -> None:
        """Tell storefronts which version to read, unless that is told already; see :meth:`Views.announce`."""
        self.views.announce(self.log.identity(), version_fields(self.terms))
        shop = self.log.shop(Shop(self.terms.zone, self.terms.currency), chosen=False)
        self.views.note_shop(shop.zone, shop.currency)

    def refreshed(self) -> App:
        """Return the same system with the read models that are served now."""
        return replace(self, views=self.views.refreshed())

    @property
    def feed(self) -> str:
        """What keeps the read models current: workers of the ``topics``, or processes that follow the ``log``."""
        return self.views.feed() or ("topics" if self.settings.kafka else "log")

    def follower(self, models: bool = True) -> Follower:
        """Return a follower of every fold; without ``models``, the learner stays where it is."""
        return self.feeding(folds(self.terms) if models else projections(self.terms), complete=models)

    def feeding(self, some: Iterable[Fold], complete: bool = False) -> Follower:
        """Return a follower of some folds, except those that Redis serves in an earlier version. ``complete``: they are all.

        Raises :class:`Misconfigured` if these read models may not be written; see :mod:`streams.projecting.readiness`.
        """
        wanted = list(some)

        def opened() -> Followed:
            now = self.refreshed()
            fitting = now.fitting("log", wanted, [LOG])
            served = Dispatch(now.views, [loader_of(fold, self.terms.zone, now.views) for fold in fitting])
            beside = kept_versions(now.views, wanted, self.terms.zone) if now.views.fixed is None else []
            return Followed(served, beside, whole=len(fitting) == len(wanted))

        return Follower(self.log, opened, complete)

    def fitting(self, feed: str, some: Iterable[Fold], sources: Collection[str]) -> list[Fold]:
        """Note what feeds the read models, and return the folds that may be fed from these sources."""
        self.views.fed_by(feed)
        refuse_eviction(self.views.client, self.settings.redis_may_evict)
        return fitting_folds(self.views, some, sources)


@contextmanager
def running(settings: Settings, shop: Shop | None = None) -> Iterator[App]:
    """Open the system of these settings. ``shop``: what a new log belongs to, and an existing one must belong to."""
    make_home(settings.home)
    with ExitStack() as stack:
        stack.enter_context(tuned_garbage_collection())
        log, keys = stack.enter_context(open_log(settings))
        mine = log.shop(shop or Shop(settings.zone, settings.currency), chosen=shop is not None)
        keys.belong_to(log.identity(), has_events=log.head() > 0)
        terms = Programme(mine.zone, mine.currency, digits=mine.digits)
        views = stack.enter_context(connected(settings))
        views.announce(log.identity(), version_fields(terms))
        views.note_shop(terms.zone, terms.currency)
        views = Views.served(views.client)
        forget = partial(purge_rejects, settings.home)
        forget(log.erased())  # where another home's process erased them
        first = Policies.first(mine.zone, mine.currency, mine.digits)
        handler = stack.enter_context(closing(Handler(log, keys, first, forget)))
        yield App(settings, terms, log, keys, views, handler)


def version_fields(terms: Programme) -> list[str]:
    """Return the fields that the hash of versions has for these terms: the parts of all keys, and the folds' checkpoints."""
    return [field for fold in folds(terms) for field in (*fold.parts, field_of_fold(fold.name))]


@contextmanager
def open_log(settings: Settings) -> Iterator[tuple[EventLog, KeyRing]]:
    """Open the log of these settings and its keys.

    Raises :class:`Misconfigured` if its tables must be migrated first, :class:`Unreachable` if its database does not answer.
    """
    url = log_url(settings)
    if url is None and settings.keys_database_url:
        raise Misconfigured("KEYS_DATABASE_URL is set, but the log is a SQLite file, and so are its keys: set DATABASE_URL.")
    with ExitStack() as stack:
        store = PostgresKeys(settings.keys_database_url or url) if url else SqliteKeys(settings.keys)
        keys = stack.enter_context(closing(KeyRing(store)))
        codec = Codec(EVENTS.values(), keys)
        log = PostgresLog(url, codec, settings.database_pool) if url else SqliteLog(settings.log, codec)
        yield stack.enter_context(closing(log)), keys


@contextmanager
def open_codec(settings: Settings) -> Iterator[Codec]:
    """Open the keys of these settings without the log, and yield what reads events with them."""
    url = settings.keys_database_url or log_url(settings)
    store = PostgresKeys(url) if url else SqliteKeys(settings.keys)
    with closing(KeyRing(store)) as keys:
        yield Codec(EVENTS.values(), keys)


def log_url(settings: Settings) -> str | None:
    """Return the URL of the log's PostgreSQL: as configured, or the home's, started and migrated; None for a SQLite file."""
    if settings.database_url:
        return settings.database_url
    if not settings.postgres.exists():
        return None
    embedded = EmbeddedPostgres(settings.postgres)
    embedded.start()
    for _ in migrate_tables(settings, embedded.url):
        pass
    return embedded.url


@dataclass(frozen=True)
class MigratedTables:
    """``before``, ``after``: versions of the tables. ``where``: a URL without its password."""

    what: str
    where: str
    before: int
    after: int


def migrate_tables(settings: Settings, url: str) -> Iterator[MigratedTables]:
    """Migrate the tables of log and keys, and yield what was done to each."""
    for tables, where in ((LOG_TABLES, url), (KEY_TABLES, settings.keys_database_url or url)):
        yield MigratedTables(tables.what, redact_url(where), *migrate(where, tables))


@contextmanager
def tuned_garbage_collection() -> Iterator[None]:
    """Collect garbage rarely. Events and views have no cycles, and walking them would take a fifth of the time."""
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
    """Open the read models of these settings. Raises :class:`Misconfigured` if Redis denies its user a command."""
    url = redis_url(settings)
    views = Views(connect(url))
    try:
        yield views
    except NoPermissionError as fault:
        raise Misconfigured(f"Redis at {address.shown(url)} refuses ({fault}): allow it to the user of REDIS_URL.") from fault
    finally:
        views.client.close()


def redis_url(settings: Settings) -> str:
    """Return the URL of Redis: as configured, or the embedded one, started if necessary."""
    if settings.redis_url:
        return settings.redis_url
    embedded = EmbeddedRedis(settings.valkey)
    embedded.start()
    return embedded.url
