"""YAML files read into one tree that remembers the line of every key and value.

YAML 1.2 core words only (`true`, `false`, `null`, integers): `no` stays a word, a date stays text until the
tree asks for a date, and a number with a point must be quoted, since it would be read as a float.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from trials.packs.faults import Fault
from trials.rules.findings import Loc

TAG = "tag:yaml.org,2002:"


class CoreLoader(yaml.CSafeLoader):
    """libyaml with the scalar words of YAML 1.2 instead of those of 1.1."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    CoreLoader.add_implicit_resolver(TAG + _name, re.compile(f"^(?:{_pattern})$"), [*_first, ""])


@dataclass(frozen=True)
class Span:
    """Where a value stands: a file and its first and last line, counted from 1."""

    file: str
    first: int
    last: int


@dataclass
class Tree:
    """The merged content of a pack, with the place of every part and the faults of reading."""

    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[Loc, Span] = field(default_factory=dict)
    values: dict[Loc, Span] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    home: str = ""

    def span(self, loc: Loc, *, key: bool = False) -> Span:
        """Return where a part stands; for a part that is not written, where the part around it stands."""
        if key and loc in self.keys:
            return self.keys[loc]
        for length in range(len(loc), 0, -1):
            if loc[:length] in self.values:
                return self.values[loc[:length]]
        return Span(self.home, 1, 1)

    def line_of(self, span: Span, text: str, offset: int) -> int:
        """Return the line on which the character at `offset` of a (folded) text stands."""
        word = re.match(r"\S+", text[offset:])
        if word is None:
            return span.first
        left = len(re.findall(re.escape(word[0]), text[:offset]))
        for number in range(span.first, span.last + 1):
            found = self.texts[span.file][number - 1].count(word[0])
            if found > left:
                return number
            left -= found
        return span.first

    def add_fault(self, file: str, line: int, message: str) -> None:
        """Note a fault of reading."""
        self.faults.append(Fault(file, line, message))


def read_pack(folder: Path) -> Tree:
    """Read `*.yaml` of a folder, and of its `forms/`, into one tree.

    A top-level key may stand in several files when it holds a list; each file of `forms/` is one form.
    """
    tree = Tree(home=str(folder))
    if not folder.is_dir():
        tree.add_fault(str(folder), 0, "no such folder")
        return tree
    files = sorted(folder.glob("*.yaml"))
    if not files:
        tree.add_fault(str(folder), 0, "no .yaml file in this folder")
        return tree
    tree.home = str(folder / "protocol.yaml") if folder / "protocol.yaml" in files else str(files[0])
    for path in files:
        _merge(tree, _root(tree, path), str(path))
    for path in sorted((folder / "forms").glob("*.yaml")):
        node = _root(tree, path)
        if node is not None:
            _append(tree, "forms", [node], str(path))
    return tree


def _root(tree: Tree, path: Path) -> MappingNode | None:
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        tree.texts[file] = text.splitlines()
        node = CoreLoader(text).get_single_node()
    except UnicodeDecodeError:
        tree.add_fault(file, 1, "not a UTF-8 text file")
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        tree.add_fault(file, mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}")
        return None
    except yaml.YAMLError as error:
        tree.add_fault(file, 1, f"not YAML: {error}")
        return None
    if node is None:
        return None
    if not isinstance(node, MappingNode):
        tree.add_fault(file, 1, "expected `key: value` lines")
        return None
    return node


def _merge(tree: Tree, root: MappingNode | None, file: str) -> None:
    for key, key_node, value_node in _pairs(tree, root, file):
        if isinstance(value_node, SequenceNode):
            tree.keys.setdefault((key,), _span(file, key_node))
            _append(tree, key, value_node.value, file)
            tree.values.setdefault((key,), _span(file, value_node))
        elif key in tree.data:
            first = tree.keys[(key,)]
            tree.add_fault(
                file, key_node.start_mark.line + 1, f"'{key}' stands already in {first.file}:{first.first}"
            )
        else:
            tree.keys[(key,)] = _span(file, key_node)
            tree.data[key] = _build(tree, value_node, (key,), file, ())


def _append(tree: Tree, key: str, nodes: list[Node], file: str) -> None:
    parts = tree.data.setdefault(key, [])
    if not isinstance(parts, list):
        tree.add_fault(file, 1, f"'{key}' is not a list in every file")
        return
    for node in nodes:
        parts.append(_build(tree, node, (key, len(parts)), file, ()))


def _pairs(tree: Tree, node: MappingNode | None, file: str) -> Iterator[tuple[str, Node, Node]]:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value if node is not None else ():
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode) or key_node.tag != TAG + "str":
            tree.add_fault(file, line, "a key must be a word; quote it")
        elif key_node.value in seen:
            tree.add_fault(file, line, f"'{key_node.value}' stands already on line {seen[key_node.value]}")
        else:
            seen[key_node.value] = line
            yield key_node.value, key_node, value_node


def _build(tree: Tree, node: Node, loc: Loc, file: str, around: tuple[Node, ...]) -> Any:
    tree.values[loc] = _span(file, node)
    if any(node is each for each in around):
        tree.add_fault(file, node.start_mark.line + 1, "this part contains itself")
        return None
    if isinstance(node, MappingNode):
        built: dict[str, Any] = {}
        for key, key_node, value_node in _pairs(tree, node, file):
            tree.keys[(*loc, key)] = _span(file, key_node)
            built[key] = _build(tree, value_node, (*loc, key), file, (*around, node))
        return built
    if isinstance(node, SequenceNode):
        return [_build(tree, each, (*loc, i), file, (*around, node)) for i, each in enumerate(node.value)]
    return _scalar(tree, node, file)


def _scalar(tree: Tree, node: Node, file: str) -> str | int | bool | None:
    text = str(node.value)
    if node.tag == TAG + "float":
        tree.add_fault(file, node.start_mark.line + 1, f"quote the number: '{text}' (a float is not exact)")
        return text
    if node.tag == TAG + "int":
        return int(text)
    if node.tag == TAG + "bool":
        return text.casefold() == "true"
    return None if node.tag == TAG + "null" else text


def _span(file: str, node: Node) -> Span:
    first, end = node.start_mark.line + 1, node.end_mark
    return Span(file, first, max(first, end.line + (1 if end.column else 0)))
