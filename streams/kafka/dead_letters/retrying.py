"""Retries a dead letter: puts its event into the read models that lack it, by today's code.

The fold would skip a second delivery, since its checkpoint is past the event. So a key's documents are folded again from the
log, up to the fold's checkpoint. A tally gets the one event, and the note that it is missing is removed in the same step. The
learner takes nothing late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from aggregates.decider import Recorded
from aggregates.delta import Delta
from infra.codec import key_of
from infra.errors import Fault, Superseded, Unreadable
from infra.kafka.records import Envelope, from_record
from infra.redis.checkpoints import Checkpoint, checkpoint_key, missing_event
from infra.redis.commit import CheckpointedWrite
from models.learner import Learner
from projections.projection import Documents, Projection, SingleDocuments, Tally
from streams.kafka.dead_letters.letters import EVERY_FOLD, DeadLetter
from streams.kafka.dead_letters.rebuild import DocumentRebuild, EventRows, FieldRebuild, ReadProgress, RetryFailed
from streams.projecting.kept import kept_folds
from streams.projecting.loaders import Fold, fold_name
from streams.registry import LEARNING, folds, sources
from streams.running.app import App

ATTEMPTS = 100  # each takes in what a worker has done meanwhile


class NotSettled(Fault):
    """The letter stays: its event could not be put in, or need not be yet."""


class Rebuild(Protocol):
    """What is made again from the log."""

    def advance(self, position: int) -> Delta: ...


@dataclass(frozen=True)
class Retry:
    """The retry of one letter in a running system. ``progress`` is called as the log is read."""

    app: App
    letter: DeadLetter
    progress: ReadProgress

    def run(self) -> list[str]:
        """Return what was done, a sentence for each fold; then the letter is settled, also in versions that are not served.

        Raises :class:`NotSettled` and :class:`RetryFailed` if it is not. What was done of it is not done again.
        """
        self.app.views.fed_by("topics")
        recorded, key = self._event()
        takers = list(self._takers(recorded))
        everywhere = [(self, takers), *self._beside(takers)]
        for retry, some in everywhere:
            for fold in some:
                retry._require_reached(fold_name(fold), recorded.position)
        done = [retry._put_in(fold, recorded, key) for retry, some in everywhere for fold in some if fold is not Learner]
        if any(Learner in some and retry._is_missing(fold_name(Learner), recorded.position) for retry, some in everywhere):
            raise NotSettled(
                f"The learner learns in the order of the log, so event #{recorded.position} cannot be put in later: drop "
                "this letter, and the learner goes without it, or run `regulars replay learner` and `regulars replay --drop`."
            )
        return done

    def _beside(self, takers: Sequence[Fold]) -> Iterator[tuple[Retry, Sequence[Fold]]]:
        """Yield the same retry in each version that is kept up besides the served one, with the folds that it has."""
        for version, some in kept_folds(self.app.refreshed().views, takers).items():
            yield replace(self, app=self.app.under(version)), some

    def _event(self) -> tuple[Recorded, str]:
        """Return the letter's event, as the log has it, and its key."""
        try:
            envelope = from_record(self.letter.value)
            self._require_same_as_log(envelope)
            event = self.app.log.codec.decode(envelope.name, bytes(envelope.event))
            return Recorded(envelope.position, event), key_of(bytes(envelope.event))
        except Unreadable as fault:
            raise RetryFailed(f"The record still cannot be read: {fault}") from fault

    def _require_same_as_log(self, envelope: Envelope) -> None:
        found = self.app.log.since(envelope.position - 1, 1) if envelope.position > 0 else []
        if not found or (found[0].position, found[0].name, found[0].state) != (
            envelope.position,
            envelope.name,
            bytes(envelope.event),
        ):
            raise NotSettled(f"The log has no such event at #{envelope.position}: the record is another program's. Drop it.")

    def _takers(self, recorded: Recorded) -> Iterator[Projection | type[Learner]]:
        """Return the folds that the letter is about."""
        topic, about = self.letter.topic, self.letter.fold
        every = folds(self.app.terms)
        if about != EVERY_FOLD and about not in map(fold_name, every):
            raise NotSettled(f"This program has no fold {about}: its read models need nothing any more. Drop the letter.")
        for fold in every:
            if about in (EVERY_FOLD, fold_name(fold)) and type(recorded.event) in sources(fold).get(topic, ()):
                yield fold

    def _put_in(self, fold: Projection | type[Learner], recorded: Recorded, key: str) -> str:
        name, position = fold_name(fold), recorded.position
        is_missing = partial(self._is_missing, name)
        if not is_missing(position):
            return f"{name}: had event #{position} already."
        rows = EventRows(self.app.log, sources(fold)[self.letter.topic], self.progress)
        match fold:
            case Documents() | SingleDocuments():
                shared = self.letter.topic == LEARNING
                rebuild = DocumentRebuild(fold, self.app.log, rows, key, position, is_missing, shared)
                self._amend(name, rebuild, {checkpoint_key(name, missing_event(position)): None})
                return f"{name}: made the documents of {key} anew from the log."
            case Tally():
                delta = tallied(fold, recorded)
                if delta.fields:  # fields may be set any number of times, sums only once
                    self._amend(name, FieldRebuild(fold, self.app.log, rows, key, position, is_missing), {})
                return self._add(name, position, Delta(counts=delta.counts, scores=delta.scores))
            case _:
                raise AssertionError("the learner takes nothing late")

    def _require_reached(self, name: str, position: int) -> None:
        if self._checkpoint(name).position < position:
            raise NotSettled(f"The fold {name} has not come to event #{position} yet: let the workers take it first.")

    def _add(self, name: str, position: int, sums: Delta) -> str:
        missing = missing_event(position)
        try:
            self.app.views.apply([CheckpointedWrite(name, Checkpoint(position), Checkpoint(), sums, missing)])
        except Superseded:  # another retry, or the first attempt of this one
            return f"{name}: had event #{position} already."
        return f"{name}: added event #{position}."

    def _amend(self, name: str, rebuild: Rebuild, besides: dict[str, object | None]) -> None:
        """Write the rebuilt documents, as of the fold's checkpoint, and mark that, so that its worker reads them again."""
        for _ in range(ATTEMPTS):
            checkpoint = self._checkpoint(name)
            delta = rebuild.advance(checkpoint.position)
            delta.documents.update(besides)
            try:
                if self.app.views.apply([CheckpointedWrite(name, checkpoint, checkpoint.amend(), delta, self._source)]):
                    return
            except Superseded:
                continue
        raise NotSettled(f"The fold {name} moves on faster than it can be amended: try again when there is less to do.")

    def _checkpoint(self, name: str) -> Checkpoint:
        return self.app.views.checkpoints_in(self._source, [name])[name]

    def _is_missing(self, name: str, position: int) -> bool:
        return self.app.views.checkpoints_in(missing_event(position), [name])[name].position == position

    @property
    def _source(self) -> str:
        return f"{self.letter.topic}:{self.letter.partition}"


def tallied(fold: Tally, recorded: Recorded) -> Delta:
    """Return what a tally adds for one event. Raises :class:`RetryFailed`."""
    try:
        return fold.fold([recorded])
    except Exception as fault:
        raise RetryFailed(f"Event #{recorded.position} still cannot be taken: {fault!r}.") from fault
