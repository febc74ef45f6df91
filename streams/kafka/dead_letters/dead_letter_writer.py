"""Dead letters on their way to Kafka: whoever buries one waits for the confirmation, and while Kafka is away, for Kafka."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from infra.errors import Misconfigured, Unreachable
from streams.kafka.dead_letters.letters import DeadLetter

PATIENCE = 2.0  # seconds for a confirmation, so that a worker that is told to stop does
TOO_LARGE = ("MessageSizeTooLarge", "RecordTooLarge")


class DeadLetterWriter:
    """``send``: begins to send a letter's key and value; its future is done once all copies have it."""

    def __init__(self, send: Callable[[bytes, bytes], Future[object]]) -> None:
        self._send = send
        self._on_their_way: dict[str, Future[object]] = {}
        self._alone = threading.Lock()

    def dead_letter(self, letter: DeadLetter) -> None:
        """Return once Kafka has the letter. Raises :class:`Unreachable` if it has not answered yet: ask again.

        A letter that is asked for again while it is on its way is not sent twice.
        """
        with self._alone:
            sent = self._on_their_way.get(letter.id)
            if sent is None:
                sent = self._on_their_way[letter.id] = self._send(letter.id.encode(), letter.pack())
        try:
            sent.result(PATIENCE)
        except TimeoutError:
            if not sent.done():
                raise Unreachable(f"Kafka does not confirm the dead letter {letter.id}.") from None
            self._failed(letter, "it timed out")
        except Exception as fault:  # noqa: BLE001 - whatever the client raises, it is said and tried again
            self._failed(letter, f"{type(fault).__name__}: {fault}")
        self._forget(letter)

    def _failed(self, letter: DeadLetter, why: str) -> None:
        self._forget(letter)
        if any(name in why for name in TOO_LARGE):
            raise Misconfigured(
                f"The dead letter {letter.id} has {len(letter.value):,} bytes, more than its topic takes: let its "
                "max.message.bytes be what `regulars topics` asks for."
            )
        raise Unreachable(f"Kafka does not take the dead letter {letter.id} ({why}).")

    def _forget(self, letter: DeadLetter) -> None:
        with self._alone:
            self._on_their_way.pop(letter.id, None)
