from __future__ import annotations

from streams.kafka.worker.wiring import finish
from streams.projecting.follower import Follower
from streams.running.app import App
from tests.shop import requests


def test_an_erasure_is_complete_once_every_fold_has_seen_it_whoever_folds(app: App) -> None:
    app.handler.handle_all(list(requests(shoppings=20)))
    erased = app.log.incomplete_erasures()
    assert erased, "a member is erased in the midst"
    finish(app)
    assert app.log.incomplete_erasures() == erased, "no fold has come so far"
    Follower(app.log, app.follower().dispatch, complete=False).catch_up()
    assert app.log.incomplete_erasures() == erased, "who folds does not complete it here"
    finish(app)
    assert app.log.incomplete_erasures() == {}
