"""How far behind the log read models are that are kept up from the log itself."""

from __future__ import annotations

import json
from itertools import islice

from click.testing import CliRunner

from streams.cli.doctor import lag_document, lag_totals
from streams.cli.main import regulars
from streams.queries.lag import LOG, FoldLag, Lag, PartitionLag, lag_of
from streams.registry import folds
from streams.running.app import App
from tests.shop import requests


def fed(app: App) -> int:
    app.handler.handle_all(list(islice(requests(1), 6)))
    return app.log.head()


def test_events_that_no_fold_has_are_counted_once(app: App) -> None:
    head = fed(app)
    found = lag_of(app)
    assert {(fold.source, fold.lag) for fold in found.folds} == {(LOG, head)}
    assert len(found.folds) == len(folds(app.terms))
    assert (found.records, found.head, found.relayed, found.letters) == (head, head, None, None)
    app.follower().catch_up()
    assert lag_of(app).records == 0
    assert {fold.position for fold in lag_of(app).folds} == {head}


def test_check_sets_the_exit_status(app: App) -> None:
    head = fed(app)
    environment = {"REGULARS_HOME": str(app.settings.home), "REDIS_URL": app.settings.redis_url}
    for most, status in ((head, 0), (head - 1, 3)):
        done = CliRunner().invoke(regulars, ["lag", "--json", "--check", str(most)], env=environment)
        assert done.exit_code == status
        assert json.loads(done.output)["records"] == head
    assert CliRunner().invoke(regulars, ["lag", "--watch", "--check", "1"], env=environment).exit_code == 2


def test_a_record_that_several_folds_lack_counts_once() -> None:
    parts = (PartitionLag(0, 5, 9, 40, 4), PartitionLag(1, 0, 2, 0, 2))
    ahead = (PartitionLag(0, 8, 9, 60, 1), PartitionLag(1, 0, 2, 0, 2))
    found = Lag(70, (FoldLag("card.1", "t", parts), FoldLag("sales.1", "t", ahead)), relayed=65, letters=1)
    assert [fold.lag for fold in found.folds] == [6, 3]
    assert found.records == 6
    assert list(lag_totals(found))[1:] == ["relay at 65 of 70 events, 5 to publish", "1 dead letters waiting"]
    assert lag_document(found)["relay"] == {"position": 65, "behind": 5}
