"""A YAML file as plain data in which every scalar is text, and where each part of it is written.

Text, because what is expected decides how a scalar is read: ``1.5`` never becomes a float, nor ``no`` a boolean. What would
make a file mean more than it shows (anchors, tags, several documents, a key given twice) is told as wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import yaml

from infra.printable import UNSAFE

Path: TypeAlias = tuple[str | int, ...]

LARGEST = 2**18
"""Bytes of a file."""

DEEPEST = 40

TEXT = "tag:yaml.org,2002:str"
BARE = tuple(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "timestamp"))
"""What others take for more than text, and need not be quoted for this reader."""

NOTHING = ("", "~", "null", "none")
"""Plain scalars that say that there is no value."""


class Wrong(NamedTuple):
    """``line`` and ``column`` count from 1."""

    line: int
    column: int
    reason: str


@dataclass(frozen=True)
class YamlDocument:
    """``plain``: mappings, lists and text (None for nothing). ``places``: line and column of each part of it, by its path."""

    plain: Any
    places: Mapping[Path, tuple[int, int]]

    def place(self, path: Path) -> tuple[int, int]:
        """Of a part, or of what it is missing from."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]


def parse(source: bytes) -> tuple[YamlDocument, list[Wrong]]:
    """The document, as far as it can be read, and what is wrong with it as YAML."""
    nothing = YamlDocument({}, {(): (1, 1)})
    if len(source) > LARGEST:
        return nothing, [Wrong(1, 1, f"a file of {len(source):,} bytes; {LARGEST:,} are the most")]
    try:
        text = source.decode("utf-8-sig")
        if found := list(surprising(text)):
            return nothing, found
        root = yaml.compose(text, yaml.SafeLoader)
    except UnicodeDecodeError as fault:
        return nothing, [Wrong(1, 1, f"is not UTF-8: {fault.reason} at byte {fault.start}")]
    except yaml.YAMLError as fault:
        return nothing, [wrong(fault)]
    if root is None:
        return nothing, [Wrong(1, 1, "the file is empty")]
    reading = Reading()
    plain = reading.plain(root, ())
    return YamlDocument(plain, reading.places), reading.found


def wrong(fault: yaml.YAMLError) -> Wrong:
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    reason = getattr(fault, "problem", None) or getattr(fault, "context", None) or str(fault).splitlines()[0]
    return Wrong(mark.line + 1, mark.column + 1, reason) if mark else Wrong(1, 1, reason)


def surprising(text: str) -> Iterator[Wrong]:
    """Read before any node is made, so that nothing expands and nothing goes too deep."""
    depth = documents = 0
    event: Any
    for event in yaml.parse(text, yaml.SafeLoader):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                yield Wrong(line, column, "one file is one document: a second one begins here")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            yield Wrong(line, column, "anchors and aliases (& and *) are not for policies: write it out")
        elif getattr(event, "tag", None):
            yield Wrong(line, column, "tags (!) are not for policies")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            yield Wrong(line, column, f"nested deeper than {DEEPEST} levels")
            return


class Reading:
    def __init__(self) -> None:
        self.places: dict[Path, tuple[int, int]] = {}
        self.found: list[Wrong] = []

    def plain(self, node: yaml.Node, path: Path) -> Any:
        self.places.setdefault(path, place(node))
        match node:
            case yaml.MappingNode():
                return self.mapping(node, path)
            case yaml.SequenceNode():
                return [self.plain(entry, (*path, number)) for number, entry in enumerate(node.value)]
            case yaml.ScalarNode(style=None, value=value) if value.lower() in NOTHING:
                return None
            case _:
                return node.value

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.found.append(Wrong(*place(key), "a key must be a word"))
            elif key.value in told:
                self.found.append(Wrong(*place(key), f"{key.value!r} is said twice here"))
            else:
                self.places[*path, key.value] = place(key)
                told[key.value] = self.plain(value, (*path, key.value))
        return told


def place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def written(plain: Any) -> str:
    """Plain data as such a file."""

    text: str = yaml.dump(plain, Dumper=Plain, sort_keys=False, allow_unicode=True, width=120)
    if UNSAFE.search(text.replace("\n", "")):  # then written as escapes, which YAML reads back
        text = yaml.dump(plain, Dumper=Plain, sort_keys=False, allow_unicode=False, width=120)
    return text


class Plain(yaml.SafeDumper):
    """Text without quotes where it can be read back without them."""


def represent(dumper: Plain, text: str) -> yaml.ScalarNode:
    if text.lower() in NOTHING:
        return dumper.represent_scalar(TEXT, text, style="'")
    meant = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(meant if meant in BARE else TEXT, text)


Plain.add_representer(str, represent)
