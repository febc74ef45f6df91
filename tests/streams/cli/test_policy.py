"""``regulars policy``: a file is checked line by line, published as a version, compared, and shown as a file again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregates.programme import Programme
from infra.settings import CHUNK, Settings
from projections.programme import ProgrammeView
from streams.cli.main import regulars
from streams.commands.request import Request
from streams.docs import policy_terms
from streams.imports.policy_file import policy_file
from streams.running.app import running
from tests.shop import line, place, requests

ROOT = Path(__file__).parents[3]
VIP = "tiers:\n  - {name: vip, threshold: 10, keep: 5, multiplier: 1.5}\n"

Command = Callable[..., Result]


@pytest.fixture
def policy(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Runs ``regulars policy``, where the files are."""
    monkeypatch.chdir(tmp_path)
    environment = {"REGULARS_HOME": str(settings.home), "REDIS_URL": settings.redis_url, "COLUMNS": "200"}
    return lambda *words: CliRunner(env=environment).invoke(regulars, ["policy", *words])


def file(text: str, name: str = "policy.yaml") -> str:
    Path(name).write_text(text)
    return name


def test_check_prints_each_problem_with_its_line_and_reason(policy: Command) -> None:
    text = "return_days: soon\ntiers:\n  - name: vip\n    keep: 12\n    threshold: 10\nteirs: []\n"
    done = policy("check", file(text))
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "policy.yaml:1:1: return_days: expected a whole number, not 'soon'",
        "policy.yaml:6:1: teirs: 'teirs' is not known here; did you mean 'tiers'?",
        "Error: policy.yaml has 2 problems.",
    ]


def test_check_reports_contradictions_once_the_file_can_be_read(policy: Command) -> None:
    done = policy("check", file("tiers:\n  - name: vip\n    threshold: 10\n    keep: 12\n"))
    assert done.stderr.splitlines()[0] == "policy.yaml:4:5: tiers.0.keep: keeping vip asks more (12) than reaching it (10)"


def test_check_refuses_a_file_that_is_not_yaml(policy: Command) -> None:
    done = policy("check", file("tiers: [1"))
    assert (done.exit_code, done.stderr.splitlines()[1]) == (1, "Error: policy.yaml has 1 problem.")


def test_check_needs_no_log(policy: Command, settings: Settings) -> None:
    assert policy("check", file(VIP)).output == "policy.yaml is a policy.\n"
    assert not settings.home.exists()


def test_show_prints_a_file_that_says_the_same(policy: Command) -> None:
    shown = policy("show").output
    assert shown.startswith("# version 1\nreturn_days: 14\n")
    assert policy_file(shown.encode()).terms == Programme()
    assert policy("diff", file(shown)).output == "1 and policy.yaml say the same.\n"


def test_publish_makes_the_file_the_next_version(policy: Command) -> None:
    assert "Version 2 is in force" in policy("publish", file(VIP), "--by", "ada").output
    shown = policy_file(policy("show").output.encode())
    assert [tier.name for tier in shown.terms.tiers] == ["vip"]
    assert policy("publish", file(VIP)).output == "Nothing changes: version 2 says the same.\n"


def test_publish_refuses_a_file_with_problems(policy: Command) -> None:
    assert policy("publish", file("return_days: -1")).exit_code == 1
    assert policy("show", "2").output == "Error: There are versions 1 to 1.\n"


def test_an_instant_without_an_offset_is_in_the_shops_zone(policy: Command, settings: Settings) -> None:
    with running(settings) as app:
        app.handler.handle(Request("o", (place("o", None, line("tea")),)))
    assert (
        policy("publish", file(VIP), "--effective", "2027-03-01").stdout == "Version 2 is in force from 2027-03-01 00:00 on.\n"
    )
    assert policy("show").output.startswith("# version 1\n")
    assert policy("publish", file(VIP), "--effective", "soon").exit_code == 2
    assert "cannot take effect in the past" in policy("publish", file(VIP), "--effective", "2016-01-01").output


def test_publish_replaces_later_versions_and_says_so(policy: Command) -> None:
    policy("publish", file(VIP), "--effective", "2027-03-01")
    done = policy("publish", file("return_days: 7"), "--effective", "2027-02-01")
    assert "It replaces version 2, which was to take effect after it." in done.stderr
    rows = [words.split() for words in policy("history").output.splitlines()]
    told = {row[0]: " ".join(row[1:4]) for row in rows if row and row[0].isdecimal()}
    assert (told["2"], told["3"][:16]) == ("never: replaced before", "2027-02-01 00:00")


def test_a_version_is_reported_as_replaced_only_once(policy: Command) -> None:
    for number, effective in ((7, "2027-04-01"), (8, "2027-03-01")):
        policy("publish", file(f"return_days: {number}"), "--effective", effective)
    done = policy("publish", file("return_days: 9"), "--effective", "2027-02-01")
    assert done.stderr.splitlines() == ["It replaces version 3, which was to take effect after it."]


def test_a_problem_of_a_default_is_marked_as_such(policy: Command) -> None:
    said = policy("check", file("return_days: 7\nwallets: [{name: stars}]\n")).stderr.splitlines()[0]
    assert said.startswith("policy.yaml:1:1: earning.spend.0.wallet: there is no wallet 'points'")
    assert said.endswith("(its default: the file does not set it)")


def test_names_with_brackets_and_colons_are_shown_as_text(policy: Command) -> None:
    text = VIP.replace("vip", '"[/vip] :star:"')
    assert policy("publish", file(text), "--by", "[red]ada").exit_code == 0
    assert "tiers.[/vip] :star: - {" in " ".join(policy("diff", "1", "2").output.split())
    assert " [red]ada " in policy("history").output
    assert policy("check", file(text, "[a].yaml")).stdout == "[a].yaml is a policy.\n"


@pytest.mark.parametrize("effective", ["0001-01-01", "1969-12-31", "9000-01-01T00:00"])
def test_an_instant_before_1970_or_after_9000_is_refused(policy: Command, effective: str) -> None:
    done = policy("publish", file(VIP), "--effective", effective)
    assert (done.exit_code, "before the year 9000" in done.stderr) == (2, True)


LESS = """
wallets:
  - {name: stars}
earning:
  spend:
    - {id: purchase, wallet: stars}
tiers:
  - {name: silver, threshold: 10, keep: 5}
"""


def test_publish_warns_of_wallets_and_tiers_that_are_gone(policy: Command) -> None:
    done = policy("publish", file(LESS))
    assert done.output.startswith("Version 2 is in force")
    said = done.stderr.splitlines()
    assert [one.split(":")[0] for one in said] == ["Wallet points is gone", "Tier gold is gone"]
    assert "cannot be spent" in said[0]
    assert "after the next review" in said[1]
    assert "gone" not in policy("publish", file(LESS + "return_days: 7\n")).stderr, "it was said of the version that did"


def test_check_warns_like_publish_where_there_is_a_log(policy: Command) -> None:
    assert policy("check", file(LESS)).stderr == ""
    policy("show")
    done = policy("check", file(LESS))
    assert (done.exit_code, len(done.stderr.splitlines())) == (0, 2)


def test_replaces_refuses_if_another_version_was_published_meanwhile(policy: Command) -> None:
    policy("publish", file(VIP), "--replaces", "1")
    done = policy("publish", file("return_days: 7"), "--replaces", "1")
    assert (done.exit_code, done.stderr) == (1, "Error: Version 2 was published meanwhile: look at it before you replace it.\n")
    assert policy("publish", file("return_days: 7"), "--replaces", "9").stderr == (
        "Error: There is no version 9 to replace: the newest is 2.\n"
    )


def test_diff_compares_versions_and_files_term_by_term(policy: Command) -> None:
    policy("publish", file(VIP))
    told = " ".join(policy("diff", "1", "2").output.split())
    assert all(words in told for words in ("tiers.silver {", "tiers.gold {", "tiers.vip - {"))
    assert "tiers.vip.multiplier 1.5 3" in " ".join(policy("diff", file(VIP.replace("1.5", "3"))).output.split())
    assert policy("diff", "nowhere.yaml").output == "Error: nowhere.yaml is neither a version nor a file.\n"


def test_history_shows_who_published_and_what_changed(policy: Command) -> None:
    policy("publish", file("return_days: 7\ntiers: []"), "--by", "ada")
    told = " ".join(policy("history").output.split())
    assert re.search(r" 2 \S+ \S+ \S+ \S+ ada return_days, tiers.silver, tiers.gold$", told)


def test_the_example_in_the_docs_is_a_policy() -> None:
    page = (ROOT / "docs/policy.md").read_text()
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    found = policy_file(example.encode())
    assert found.problems == ()
    assert set(found.document) == {
        "return_days",
        "session_days",
        "closing",
        "wallets",
        "earning",
        "qualifying",
        "tiers",
        "rewards",
    }
    silver, gold = found.terms.tiers
    assert (silver.multiplier, gold.benefits.perks) == ((5, 4), ("lounge",))


@pytest.mark.parametrize("example", sorted((ROOT / "docs/policies").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_a_policy(policy: Command, example: Path) -> None:
    told = policy("check", str(example))
    assert told.exit_code == 0, told.output


def test_the_plain_example_equals_the_default_policy() -> None:
    assert policy_file((ROOT / "docs/policies/plain.yaml").read_bytes()).terms == Programme()


def test_the_page_of_terms_is_up_to_date() -> None:
    assert (ROOT / "docs/policy-terms.md").read_text() == policy_terms.page(), "make docs"


def test_storefronts_see_a_published_policy_at_once(policy: Command, settings: Settings) -> None:
    done = policy("publish", file(VIP))
    assert (done.exit_code, "follow" in done.stderr) == (0, False)
    with running(settings) as app:
        (shown,) = app.views.load(["programme:shop"], {"programme": ProgrammeView}).values()
        assert [version.version for version in shown.versions] == [2]


def test_a_policy_that_storefronts_do_not_see_yet_says_what_to_run(policy: Command, settings: Settings) -> None:
    with running(settings) as app:
        app.handler.handle_all(list(requests(shoppings=3 * CHUNK // 50)))
        assert app.log.head() > CHUNK
    done = policy("publish", file(VIP))
    assert done.exit_code == 0
    assert "run `regulars follow --once`" in done.stderr
