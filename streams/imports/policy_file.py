"""A policy file: YAML on disk to terms, each problem with its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aggregates.programme import Programme
from aggregates.programme.problems import problems
from aggregates.programme.reading import read
from infra.yaml_document import parse


class Found(NamedTuple):
    """``where``: the term, as ``tiers.1.keep``; empty for the file as such."""

    line: int
    column: int
    where: str
    reason: str


@dataclass(frozen=True)
class PolicyFile:
    """``document``: what the file says, no more; ``terms``: what that means. ``found``: what is wrong, in the file's order."""

    document: Any
    terms: Programme
    found: tuple[Found, ...]


def policy_file(source: bytes) -> PolicyFile:
    written, wrong = parse(source)
    terms, unfit = read(written.plain)
    found = [Found(line, column, "", reason) for line, column, reason in wrong]
    told = [*unfit, *([] if unfit or wrong else problems(terms))]
    for path, reason in told:
        defaulted = "" if path in written.places else " (its default: the file does not say it)"
        found.append(Found(*written.place(path), ".".join(map(str, path)), reason + defaulted))
    return PolicyFile(written.plain, terms, tuple(sorted(found)))


def said(path: Path, found: Found) -> str:
    """As compilers say it: file, line, column, what is wrong."""
    return f"{path}:{found.line}:{found.column}: " + (f"{found.where}: " if found.where else "") + found.reason
