"""What Redis serves of some folds, as records, also where no rebuild has ever been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from infra.errors import Misconfigured
from infra.redis.checkpoints import LOG, checkpoint_key
from infra.redis.generations import Generation
from infra.redis.views import Views
from streams.projecting.loaders import Fold, fold_name
from streams.projecting.readiness import held_by


def served_records(views: Views, folds: Iterable[Fold], records: Sequence[Generation]) -> Mapping[str, Generation]:
    """Return the record of what is served of each fold, by the fold's name; none for a fold that Redis has nothing of."""
    known = {(record.version, record.name): record for record in records}
    found: dict[str, Generation] = {}
    begun: set[str] | None = None
    for fold in folds:
        version = views.versions.version_of(fold.parts[0])
        if (version, fold.name) in known:
            found[fold.name] = known[version, fold.name]
            continue
        name: str | None = fold_name(fold)
        if views.client.get(views.key(checkpoint_key(fold_name(fold), LOG))) is None:
            begun = held_by(views)[1] if begun is None else begun
            name = max((one for one in begun if one.partition(".")[0] == fold.name), default=None)
        if name is not None:
            found[fold.name] = Generation(version, name, tuple(fold.parts), "serving")
    return found


def refuse_newer(views: Views, folds: Iterable[Fold], records: Sequence[Generation]) -> None:
    """Raise :class:`Misconfigured` if Redis has a newer version of one of these folds than this program knows."""
    every = list(folds)
    newest = {record.name: record for record in served_records(views, every, records).values()}
    for record in records:
        if record.state in ("old", "dropping"):
            continue
        if record.name not in newest or record.fold_version > newest[record.name].fold_version:
            newest[record.name] = record
    for fold in every:
        if (held := newest.get(fold.name)) is not None and held.fold_version > fold.version:
            raise Misconfigured(
                f"Redis holds {held.fold} ({held.version}, {held.state}), and this program knows {fold_name(fold)} only: "
                "upgrade Regulars, or go back with `regulars replay --rollback`."
            )


def raised_folds(views: Views, folds: Iterable[Fold]) -> list[Fold]:
    """Return the folds of which Redis serves an earlier version than this program has."""
    every = list(folds)
    _, begun = held_by(views)
    served = {name.partition(".")[0] for name in begun}
    return [fold for fold in every if fold_name(fold) not in begun and fold.name in served]
