"""The docs are true: generated pages are up to date; links, commands, targets, settings and Redis keys exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aggregates.order.events import OrderLine
from aggregates.order.fulfilment import LineUnits
from aggregates.programme import Programme
from infra.errors import Fault
from models.recommender import candidates
from models.recommender.features import FEATURES
from models.recommender.ranker import BENDS
from streams.cli.main import regulars
from streams.commands.validation import require_valid
from streams.docs import commands, console
from streams.docs import events as catalogue
from streams.projecting.loaders import fold_name
from streams.registry import COMMANDS, REACTIONS, fold_of_part, folds
from tests.checks.settings_read import settings_read

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
READ_MODELS = (ROOT / "docs/read-models.md").read_text()

LINK = re.compile(r"\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PROMPT = re.compile(r"^(?:\$ |redis> )?(?:\w+=\S* )*")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code(page: Path) -> Iterator[str]:
    """Yield the lines of fenced blocks without comments, and the spans of code."""
    text = page.read_text()
    for block in FENCE.findall(text):
        for line in block.splitlines()[1:-1]:
            yield re.sub(r"\s+# .*", "", line).strip()
    yield from (span.replace("\\|", "|") for span in SPAN.findall(FENCE.sub("", text)))


def command_lines(program: str) -> list[tuple[str, str]]:
    """Return every command line of a program in the docs, with its page."""
    told = ((page, PROMPT.sub("", line)) for page in PAGES for line in code(page))
    return sorted({(str(page.relative_to(ROOT)), line) for page, line in told if line.split(" ")[0] == program})


def parse(words: list[str]) -> None:
    """Parse a command line as ``regulars`` would, without running it; missing arguments are allowed."""
    command: click.Command = regulars
    context = None
    while isinstance(command, click.Group) and words:
        name, *words = words
        found = command.get_command(context or click.Context(command), name)
        if found is None:
            raise click.UsageError(f"No such command: {name}")
        command, parent = found, context
        context = click.Context(command, info_name=name, parent=parent, **command.context_settings)
    if context is not None and not isinstance(command, click.Group):
        try:
            command.parse_args(context, words)
        except click.MissingParameter:
            return


def slug(heading: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_page_of_events_is_up_to_date() -> None:
    assert (ROOT / "docs/events.md").read_text() == catalogue.page(), "make docs"


@pages
def test_every_link_has_a_target(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in {slug(heading) for heading in HEADING.findall(target.read_text())}, link


@pytest.mark.parametrize(("page", "line"), command_lines("regulars"))
def test_every_command_line_in_the_docs_can_be_parsed(page: str, line: str) -> None:
    try:
        parse(shlex.split(line.partition(" > ")[0])[1:])
    except (click.UsageError, Fault) as fault:
        pytest.fail(f"{page}: {line}: {fault}")


def test_an_unknown_command_line_is_noticed() -> None:
    for line in ("demo --months 2", "shows member 1", "import everything", "follow once", "demo --weeks many"):
        with pytest.raises(click.UsageError):
            parse(line.split())


def test_the_page_of_the_console_is_up_to_date() -> None:
    assert (ROOT / "docs/console.md").read_text() == console.page(), "make docs"


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (ROOT / "docs/commands.md").read_text() == commands.page(), "make docs"


@pytest.mark.parametrize("command", [kind for kind in COMMANDS if kind not in REACTIONS], ids=lambda kind: kind.__name__)
def test_the_example_of_a_command_is_valid(command: type) -> None:
    names = {kind.__name__: kind for kind in COMMANDS} | {"OrderLine": OrderLine, "LineUnits": LineUnits}
    require_valid(eval(commands.example_of(command), names))  # noqa: S307 - our own page


def test_there_is_an_example_of_every_command() -> None:
    assert set(console.EXAMPLES) == {name for name, _ in console.leaves()}
    for name, example in console.EXAMPLES.items():
        assert example.startswith(f"regulars {name}")


@pytest.mark.parametrize(("page", "line"), command_lines("make"))
def test_every_make_target_in_the_docs_exists(page: str, line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line.split()[1] in targets, page


SETTINGS = settings_read()


def settings_documented(page: str) -> set[str]:
    """Return the settings that the rows of a page's tables begin with."""
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", (ROOT / page).read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"[A-Z_]+", row)}


def test_every_setting_is_documented() -> None:
    assert settings_documented("docs/operating.md") == SETTINGS


def test_the_docs_name_exactly_the_keys_of_the_folds() -> None:
    told = set(re.findall(r"\bv1:([a-z-]+)", READ_MODELS)) - {"checkpoint"}
    assert told == set(fold_of_part(Programme()))


def test_the_docs_name_every_checkpoint_with_its_keys() -> None:
    rows = re.findall(r"^\| `([a-z]+\.\d+)` \| (.+) \|$", READ_MODELS, re.MULTILINE)
    told = {fold: set(re.findall(r"`v1:([a-z-]+)`", keys)) for fold, keys in rows}
    held = {fold_name(fold): set(fold.parts) for fold in folds(Programme())}
    own = READ_MODELS.partition("## The learner's own state")[2]
    state = set(re.findall(r"^\| `v1:([a-z-]+)", own, re.MULTILINE))
    assert told == {fold: parts - state for fold, parts in held.items()}


def test_the_decision_on_the_ranker_has_the_numbers_of_the_code() -> None:
    page = next(ROOT.glob("docs/decisions/0008-*.md")).read_text()
    assert (
        f"{candidates.REPEATS} by habit, {candidates.COMPANIONS} companions of the latest basket, {candidates.POPULAR} that"
        in page
    )
    assert f"**{len(FEATURES)} features**" in page
    assert f"with {BENDS} bends" in page


def test_every_call_on_the_page_of_one_event_exists() -> None:
    page = (ROOT / "docs/one-event.md").read_text()
    calls = set(re.findall(r"`([A-Z]\w+)\.(\w+)`", page))
    assert len(calls) > 20
    code = [file.read_text() for package in ("infra", "projections", "streams") for file in (ROOT / package).rglob("*.py")]
    for owner, name in sorted(calls):
        places = [text for text in code if re.search(rf"^class {owner}\b", text, re.MULTILINE)]
        assert any(re.search(rf"def {name}\b", text) for text in places), f"{owner}.{name}"
