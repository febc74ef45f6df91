"""What a guest said in a session that a member joined is forgotten with the member; what others said is not."""

from __future__ import annotations

import pytest

from aggregates.behaviour import Searched
from aggregates.member import EraseMember, RegisterMember
from aggregates.review import ProductReviewed, ReviewProduct
from aggregates.session import JoinSession
from infra.settings import Settings
from streams.commands.request import Request
from streams.running.app import App, running
from tests.shop import START

GUESTS = Searched(query="green tea", member=None, session="s", shown=(), at=START)
NAMED_ALIKE = Searched(query="black tea", member="s", session=None, shown=(), at=START)
OTHERS = Searched(query="white tea", member=None, session="t", shown=(), at=START)
REVIEW = ReviewProduct("tea", START, 9, session="s", text="Good.")
BEFORE = (GUESTS, NAMED_ALIKE, OTHERS, REVIEW, RegisterMember("ada", START))
ERASE = (JoinSession("s", "ada", START), EraseMember("ada", START))


def ask(app: App, name: str, *commands: object) -> str:
    return app.handler.handle(Request(name, commands)).code


def told(app: App) -> list[str | None]:
    """What was searched for and said, in the order it came."""
    events = [app.log.codec.decode(row.name, row.state) for row in app.log.since(0, 1000)]
    spoken = [event for event in events if isinstance(event, Searched | ProductReviewed)]
    return [said.query if isinstance(said, Searched) else said.text for said in spoken]


def test_a_guests_words_are_blank_once_the_member_who_joined_the_session_is_erased(settings: Settings) -> None:
    with running(settings) as app:
        assert ask(app, "1", *BEFORE) == ""
        assert told(app) == ["green tea", "black tea", "white tea", "Good."]
        assert ask(app, "2", *ERASE) == ""
        assert told(app) == ["", "black tea", "white tea", None]
    with running(settings) as again:
        assert told(again) == ["", "black tea", "white tea", None]


def test_a_session_that_moved_on_is_forgotten_with_each_who_joined_it(app: App) -> None:
    assert ask(app, "1", *BEFORE, JoinSession("s", "ada", START), JoinSession("s", "eve", START)) == ""
    assert ask(app, "2", EraseMember("ada", START)) == ""
    assert told(app) == ["", "black tea", "white tea", None]


def test_nothing_more_is_kept_of_what_is_said_in_such_a_session(app: App) -> None:
    assert ask(app, "1", *BEFORE) == ask(app, "2", *ERASE) == ask(app, "3", GUESTS, NAMED_ALIKE) == ""
    assert told(app) == ["", "black tea", "white tea", None, "", "black tea"]
    assert app.follower().catch_up() == app.log.head()


@pytest.mark.parametrize(
    "command", [JoinSession("u", "ada", START), Searched(query="tea", member="ada", session="u", shown=(), at=START)]
)
def test_an_erased_member_joins_no_session(app: App, command: object) -> None:
    assert ask(app, "1", *BEFORE) == ask(app, "2", *ERASE) == ""
    assert ask(app, "3", command) == "member_erased"


def test_who_is_erased_in_one_group_takes_the_sessions_joined_in_it_along(app: App) -> None:
    every = [Request(f"{n}", (command,)) for n, command in enumerate((*BEFORE, *ERASE, GUESTS))]
    assert {outcome.code for outcome in app.handler.handle_all(every)} == {""}
    assert told(app) == ["", "black tea", "white tea", None, ""]
