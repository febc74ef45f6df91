"""What the docs say is there: generated pages are fresh; links, commands, targets, settings and Redis keys are real."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aggregates.programme import Programme
from infra.errors import Fault
from streams.cli.main import COMMANDS, regulars
from streams.docs import events as catalogue
from streams.projecting.loaders import fold_name
from streams.registry import fold_of_part, folds
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
    """Lines of fenced blocks without what follows a ``#``, and spans of code."""
    text = page.read_text()
    for block in FENCE.findall(text):
        for line in block.splitlines()[1:-1]:
            yield re.sub(r"\s+# .*", "", line).strip()
    yield from (span.replace("\\|", "|") for span in SPAN.findall(FENCE.sub("", text)))


def spoken_of(program: str) -> list[tuple[str, str]]:
    """Every command of a program in the docs, with its page."""
    told = ((page, PROMPT.sub("", line)) for page in PAGES for line in code(page))
    return sorted({(str(page.relative_to(ROOT)), line) for page, line in told if line.split(" ")[0] == program})


def understand(words: list[str]) -> None:
    """Parse a command line as ``regulars`` would, and run nothing; what is left out is left out on purpose."""
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
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_page_of_events_is_fresh() -> None:
    assert (ROOT / "docs/events.md").read_text() == catalogue.page(), "make docs"


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in {slug(heading) for heading in HEADING.findall(target.read_text())}, link


@pytest.mark.parametrize(("page", "line"), spoken_of("regulars"))
def test_every_command_of_the_docs_is_understood(page: str, line: str) -> None:
    try:
        understand(shlex.split(line)[1:])
    except (click.UsageError, Fault) as fault:
        pytest.fail(f"{page}: {line}: {fault}")


def test_a_command_that_is_not_there_is_noticed() -> None:
    for line in ("demo --months 2", "shows member 1", "import everything", "follow once", "demo --weeks many"):
        with pytest.raises(click.UsageError):
            understand(line.split())


def test_every_command_is_in_the_readme() -> None:
    told = {line.split()[1] for page, line in spoken_of("regulars") if page == "README.md" and " " in line}
    assert told | {"demo"} == set(COMMANDS)


@pytest.mark.parametrize(("page", "line"), spoken_of("make"))
def test_every_target_of_the_docs_is_in_the_makefile(page: str, line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line.split()[1] in targets, page


SETTINGS = settings_read()


def settings_told(page: str) -> set[str]:
    """Those that the rows of its tables begin with."""
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", (ROOT / page).read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"[A-Z_]+", row)}


def test_every_setting_is_told() -> None:
    assert settings_told("docs/operating.md") == SETTINGS
    assert {"REGULARS_HOME", "REDIS_URL", "DATABASE_URL", "KAFKA_BOOTSTRAP"} <= settings_told("README.md") <= SETTINGS


def test_every_key_of_the_read_models_is_a_folds_and_every_folds_is_told() -> None:
    told = set(re.findall(r"\bv1:([a-z-]+)", READ_MODELS)) - {"checkpoint"}
    assert told == set(fold_of_part(Programme()))


def test_every_checkpoint_is_told_with_the_keys_it_stands_for() -> None:
    rows = re.findall(r"^\| `([a-z]+\.\d+)` \| (.+) \|$", READ_MODELS, re.MULTILINE)
    told = {fold: set(re.findall(r"`v1:([a-z-]+)`", keys)) for fold, keys in rows}
    held = {fold_name(fold): set(fold.parts) for fold in folds(Programme())}
    own = READ_MODELS.partition("## The learner's own state")[2]
    state = set(re.findall(r"^\| `v1:([a-z-]+)", own, re.MULTILINE))
    assert told == {fold: parts - state for fold, parts in held.items()}
