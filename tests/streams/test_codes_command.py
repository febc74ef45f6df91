"""``regulars codes``: a batch is issued, its codes are looked up and revoked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from aggregates.campaign import LaunchCampaign
from infra.settings import Settings
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.running.app import running
from tests.shop import START

Command = Callable[..., Result]


@pytest.fixture
def codes(settings: Settings) -> Command:
    """Runs ``regulars codes`` in a shop with the campaign spring."""
    with running(settings) as app:
        assert app.handler.handle(Request("launch", (LaunchCampaign("spring", START),))).accepted
    environment = {"REGULARS_HOME": str(settings.home), "REDIS_URL": settings.redis_url, "COLUMNS": "80"}
    return lambda *words: CliRunner(env=environment).invoke(regulars, ["codes", *words])


def test_a_batch_is_printed_and_printed_the_same_again(codes: Command) -> None:
    issue = ("issue", "spring", "--batch", "letters", "--count", "50", "--by", "ada")
    first = codes(*issue)
    assert first.exit_code == 0, first.output
    lines = first.stdout.split()
    assert len(set(lines)) == 50
    assert all(re.fullmatch(r"(?:[2-9CDFGHJKMNPQRTVWXY]{4}-){2}[2-9CDFGHJKMNPQRTVWXY]{4}", line) for line in lines)
    assert codes(*issue).stdout == first.stdout


def test_a_code_tells_its_campaign_however_it_is_typed(codes: Command) -> None:
    code = codes("issue", "spring", "--batch", "letters", "--count", "3").stdout.split()[2]
    told = json.loads(codes("check", code.lower().replace("-", " "), "--json").stdout)
    assert (told["campaign"], told["number"], told["uses_left"]) == ("spring", 3, None)


def test_a_code_that_was_never_issued_is_a_sentence(codes: Command) -> None:
    done = codes("check", "2222-2222-2222")
    assert (done.exit_code, "was never issued" in done.output) == (1, True)


def test_a_revoked_batch_says_so(codes: Command) -> None:
    code = codes("issue", "spring", "--batch", "letters", "--count", "1").stdout.strip()
    assert codes("revoke", "spring", "letters", "--reason", "leaked").exit_code == 0
    assert "revoked" in codes("check", code).output
    assert json.loads(codes("check", code, "--json").stdout)["revoked"] is True


def test_a_campaign_that_is_not_there_is_a_sentence(codes: Command) -> None:
    assert "There is no campaign autumn" in codes("issue", "autumn", "--batch", "b", "--count", "1").output


def test_another_count_of_a_batch_is_refused(codes: Command) -> None:
    assert codes("issue", "spring", "--batch", "b", "--count", "1").exit_code == 0
    assert "This batch has 1 codes" in codes("issue", "spring", "--batch", "b", "--count", "2").output
