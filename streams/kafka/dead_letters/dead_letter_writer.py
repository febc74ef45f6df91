"""Writes dead letters to Kafka. The writer waits for the confirmation, and while Kafka is away, for Kafka."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import faust

from infra.errors import Misconfigured, Unreachable
from streams.kafka.dead_letters.letters import DeadLetter

PATIENCE = 2.0  # seconds for a confirmation, so that a worker that is told to stop does
TOO_LARGE = ("MessageSizeTooLarge", "RecordTooLarge")


class DeadLetterWriter:
    """Sends by the producer of a running Faust app, from any thread but that of its event loop."""

    def __init__(self, app: faust.App, topic: str) -> None:
        self._app = app
        self._topic = topic
        self._on_their_way: dict[str, Future[object]] = {}
        self._alone = threading.Lock()

    def write(self, letter: DeadLetter) -> None:
        """Return once Kafka has the letter. Raises :class:`Unreachable` if it has not confirmed yet: call it again.

        A letter that is written again while it is on its way is not sent twice.
        """
        with self._alone:
            sent = self._on_their_way.get(letter.id)
            if sent is None:
                sent = self._on_their_way[letter.id] = self._send(letter)
        try:
            sent.result(PATIENCE)
        except TimeoutError:
            if not sent.done():
                raise Unreachable(f"Kafka does not confirm the dead letter {letter.id}.") from None
            self._failed(letter, "it timed out")
        except Exception as fault:  # noqa: BLE001 - whatever the client raises, it is reported and tried again
            self._failed(letter, f"{type(fault).__name__}: {fault}")
        self._forget(letter)

    def _send(self, letter: DeadLetter) -> Future[object]:
        """Begin to send; the future is done once all copies have the letter."""
        sending = self._app.producer.send_and_wait(self._topic, letter.id.encode(), letter.pack(), None, None, None)
        return asyncio.run_coroutine_threadsafe(sending, self._app.loop)

    def _failed(self, letter: DeadLetter, why: str) -> None:
        self._forget(letter)
        if any(name in why for name in TOO_LARGE):
            raise Misconfigured(
                f"The dead letter {letter.id} has {len(letter.value):,} bytes, more than its topic takes: set the topic's "
                "max.message.bytes to what `regulars topics` asks for."
            )
        raise Unreachable(f"Kafka does not take the dead letter {letter.id} ({why}).")

    def _forget(self, letter: DeadLetter) -> None:
        with self._alone:
            self._on_their_way.pop(letter.id, None)
