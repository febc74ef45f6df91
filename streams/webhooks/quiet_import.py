"""An import that no webhook is told of."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from uuid import uuid4

from aggregates.decider import Context
from infra.event_log.log import EventLog
from infra.event_log.types import Outcome
from infra.webhooks.quiet import QuietPositions
from streams.commands.handler import Handler
from streams.commands.request import Handles, Request
from streams.running.app import App
from streams.webhooks.messages import open_store


class QuietHandler:
    """Handles requests as the system's handler does, and notes for the sender what they appended."""

    def __init__(self, handler: Handler, log: EventLog, quiet: QuietPositions) -> None:
        self._handler = handler
        self._log = log
        self._quiet = quiet
        self._owner = uuid4().hex

    def handle_all(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer requests as :meth:`Handler.handle_all`. What was appended by an earlier run is noted again."""
        self._quiet.hold(self._owner, self._log.head(), _now())
        outcomes = self._handler.handle_all(requests)
        spans = [(one.position - one.events, one.position) for one in outcomes if one.accepted and one.events]
        self._quiet.pass_over(self._owner, spans, self._log.head(), _now())
        return outcomes

    def context(self) -> Context:
        return self._handler.context()

    def close(self) -> None:
        self._quiet.release(self._owner)


@contextmanager
def import_handler(app: App, webhooks: bool) -> Iterator[Handles]:
    """Yield what an import sends its requests to: without ``webhooks``, endpoints are told nothing of what it appends."""
    with ExitStack() as stack:
        if webhooks:
            yield app.handler
            return
        store = stack.enter_context(closing(open_store(app.settings, app.keys)))
        yield stack.enter_context(closing(QuietHandler(app.handler, app.log, store.quiet)))


def _now() -> int:
    return int(time.time() * 1000)
