"""Reads a policy file: YAML to the terms of a programme, and each problem with its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aggregates.programme import Programme
from aggregates.programme import problems as terms_problems
from aggregates.programme.document import read
from infra.yaml_document import parse


class LocatedProblem(NamedTuple):
    """``where``: the term, as ``tiers.1.keep``; empty for the file as such."""

    line: int
    column: int
    where: str
    reason: str


@dataclass(frozen=True)
class PolicyFile:
    """``document``: the file as plain data; ``terms``: what it means; ``problems``: what is wrong, in the file's order."""

    document: Any
    terms: Programme
    problems: tuple[LocatedProblem, ...]


def policy_file(source: bytes) -> PolicyFile:
    """Return the terms that a file states, and its problems."""
    written, wrong = parse(source)
    terms, unfit = read(written.plain)
    found = [LocatedProblem(line, column, "", reason) for line, column, reason in wrong]
    for path, reason in (*unfit, *([] if unfit or wrong else terms_problems.problems(terms))):
        defaulted = "" if path in written.places else " (its default: the file does not set it)"
        found.append(LocatedProblem(*written.place(path), ".".join(map(str, path)), reason + defaulted))
    return PolicyFile(written.plain, terms, tuple(sorted(found)))


def problem_text(path: Path, found: LocatedProblem) -> str:
    """Return a problem as compilers print it: file, line, column, what is wrong."""
    return f"{path}:{found.line}:{found.column}: " + (f"{found.where}: " if found.where else "") + found.reason
