"""Read a YAML file as plain data in which every scalar is text, with the line and column of each part.

The reader of the data decides what a scalar is: ``1.5`` never becomes a float, nor ``no`` a boolean. Anchors, tags, several
documents and repeated keys are reported as problems, since they make a file mean more than it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import yaml

from infra.printable import UNSAFE

YamlPath: TypeAlias = tuple[str | int, ...]

LARGEST = 2**18
"""Bytes of a file."""

DEEPEST = 40

TEXT = "tag:yaml.org,2002:str"
BARE = tuple(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "timestamp"))
"""Scalars that other readers take for more than text. For this reader they need no quotes."""

NOTHING = ("", "~", "null", "none")
"""PlainDumper scalars that say that there is no value."""


class YamlProblem(NamedTuple):
    """``line`` and ``column`` count from 1."""

    line: int
    column: int
    reason: str


@dataclass(frozen=True)
class YamlDocument:
    """``plain``: mappings, lists and text; None for no value. ``places``: line and column of each part, by its path."""

    plain: Any
    places: Mapping[YamlPath, tuple[int, int]]

    def place(self, path: YamlPath) -> tuple[int, int]:
        """Return line and column of a part, or of the part that it is missing from."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]


def parse(source: bytes) -> tuple[YamlDocument, list[YamlProblem]]:
    """Return the document, as far as it can be read, and its problems as YAML."""
    nothing = YamlDocument({}, {(): (1, 1)})
    if len(source) > LARGEST:
        return nothing, [YamlProblem(1, 1, f"the file has {len(source):,} bytes; at most {LARGEST:,} are allowed")]
    try:
        text = source.decode("utf-8-sig")
        if found := list(find_forbidden(text)):
            return nothing, found
        root = yaml.compose(text, yaml.SafeLoader)
    except UnicodeDecodeError as fault:
        return nothing, [YamlProblem(1, 1, f"is not UTF-8: {fault.reason} at byte {fault.start}")]
    except yaml.YAMLError as fault:
        return nothing, [problem_from(fault)]
    if root is None:
        return nothing, [YamlProblem(1, 1, "the file is empty")]
    reading = YamlReader()
    plain = reading.plain(root, ())
    return YamlDocument(plain, reading.places), reading.found


def problem_from(fault: yaml.YAMLError) -> YamlProblem:
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    reason = getattr(fault, "problem", None) or getattr(fault, "context", None) or str(fault).splitlines()[0]
    return YamlProblem(mark.line + 1, mark.column + 1, reason) if mark else YamlProblem(1, 1, reason)


def find_forbidden(text: str) -> Iterator[YamlProblem]:
    """Find anchors, tags, further documents and deep nesting, before any node is built or expanded."""
    depth = documents = 0
    event: Any
    for event in yaml.parse(text, yaml.SafeLoader):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                yield YamlProblem(line, column, "a file must be one document: a second one begins here")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            yield YamlProblem(line, column, "anchors and aliases (& and *) are not allowed: repeat the text")
        elif getattr(event, "tag", None):
            yield YamlProblem(line, column, "tags (!) are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            yield YamlProblem(line, column, f"nested deeper than {DEEPEST} levels")
            return


class YamlReader:
    def __init__(self) -> None:
        self.places: dict[YamlPath, tuple[int, int]] = {}
        self.found: list[YamlProblem] = []

    def plain(self, node: yaml.Node, path: YamlPath) -> Any:
        self.places.setdefault(path, position_of(node))
        match node:
            case yaml.MappingNode():
                return self.mapping(node, path)
            case yaml.SequenceNode():
                return [self.plain(entry, (*path, number)) for number, entry in enumerate(node.value)]
            case yaml.ScalarNode(style=None, value=value) if value.lower() in NOTHING:
                return None
            case _:
                return node.value

    def mapping(self, node: yaml.MappingNode, path: YamlPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.found.append(YamlProblem(*position_of(key), "a key must be a word"))
            elif key.value in data:
                self.found.append(YamlProblem(*position_of(key), f"{key.value!r} appears twice"))
            else:
                self.places[*path, key.value] = position_of(key)
                data[key.value] = self.plain(value, (*path, key.value))
        return data


def position_of(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def dump_yaml(plain: Any) -> str:
    """Plain data as such a file."""

    text: str = yaml.dump(plain, Dumper=PlainDumper, sort_keys=False, allow_unicode=True, width=120)
    if UNSAFE.search(text.replace("\n", "")):  # then written as escapes, which YAML reads back
        text = yaml.dump(plain, Dumper=PlainDumper, sort_keys=False, allow_unicode=False, width=120)
    return text


class PlainDumper(yaml.SafeDumper):
    """Writes text without quotes where this reader needs none."""


def represent(dumper: PlainDumper, text: str) -> yaml.ScalarNode:
    if text.lower() in NOTHING:
        return dumper.represent_scalar(TEXT, text, style="'")
    meant = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(meant if meant in BARE else TEXT, text)


PlainDumper.add_representer(str, represent)
