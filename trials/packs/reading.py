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
from trials.packs.layers import (
    DEEPEST,
    EXTENDS,
    MERGED,
    NAMED_BY,
    RETIRE,
    Layer,
    base_of,
    name_of,
    retired_by,
)
from trials.rules.findings import Loc

TAG = "tag:yaml.org,2002:"
GONE = -1
"""Place of a part that an upper layer has no more."""


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
    """The merged content of a pack, with the place of every part and the faults of reading.

    `places` has the index of every part that has a code; while a layer is read, `below` has those of the layers under
    it, `retired` those that layers above it have no more, and `follows` what stands before each new part.
    """

    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[Loc, Span] = field(default_factory=dict)
    values: dict[Loc, Span] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    home: str = ""
    places: dict[tuple[str, str], int] = field(default_factory=dict)
    below: set[tuple[str, str]] = field(default_factory=set)
    retired: set[tuple[str, str]] = field(default_factory=set)
    follows: dict[tuple[str, str], str] = field(default_factory=dict)

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
    """Read `*.yaml` of a folder, and of its `forms/`, into one tree, over the pack that it extends.

    A top-level key may stand in several files when it holds a list; each file of `forms/` is one form.
    """
    tree = Tree(home=str(folder))
    layers = _layers(tree, folder)
    for place, layer in enumerate(layers):
        above = [each for upper in layers[place + 1 :] for each in upper.retired]
        tree.below, tree.retired = set(tree.places), {(each.key, each.name) for each in above}
        for each in layer.retired:
            if each.key not in NAMED_BY or (each.key, each.name) not in tree.below:
                tree.add_fault(each.file, each.line, f"there is no '{each.name}' in '{each.key}' to retire")
        tree.follows = {}
        _read_layer(tree, layer.folder)
        if place:
            _put_in_order(tree)
    return tree


def _put_in_order(tree: Tree) -> None:
    """A new part stands after the part that it follows in its own layer; one that follows none stands last."""
    for key in {key for key, _ in tree.follows}:
        order = [place for place in range(len(tree.data[key])) if place not in _new_places(tree, key)]
        for (of, name), before in tree.follows.items():
            if of == key:
                after = tree.places.get((key, before), GONE)
                order.insert(order.index(after) + 1 if after in order else len(order), tree.places[key, name])
        _reorder(tree, key, order)


def _new_places(tree: Tree, key: str) -> set[int]:
    return {tree.places[each] for each in tree.follows if each[0] == key}


def _reorder(tree: Tree, key: str, order: list[int]) -> None:
    moved = {old: new for new, old in enumerate(order)}
    tree.data[key] = [tree.data[key][old] for old in order]
    for table in (tree.keys, tree.values):
        mine = {loc: table.pop(loc) for loc in list(table) if loc[0] == key and len(loc) > 1}
        table |= {(key, moved[int(loc[1])], *loc[2:]): span for loc, span in mine.items()}
    tree.places |= {
        each: moved[place] for each, place in tree.places.items() if each[0] == key and place != GONE
    }


def _layers(tree: Tree, folder: Path) -> list[Layer]:
    """The folders of a pack, the one that stands by itself first."""
    layers: list[Layer] = []
    while len(layers) < DEEPEST:
        path = folder / "protocol.yaml"
        root = _root(Tree(), path) if path.is_file() else None
        layers.append(Layer(folder, retired_by(root, str(path))))
        base = base_of(root)
        if base is None:
            break
        folder = folder / base[0]
        if not folder.is_dir() or folder.resolve() in {each.folder.resolve() for each in layers}:
            tree.add_fault(str(path), base[1], f"'{base[0]}' is no folder of another pack to extend")
            break
    return layers[::-1]


def _read_layer(tree: Tree, folder: Path) -> None:
    if not folder.is_dir():
        tree.add_fault(str(folder), 0, "no such folder")
        return
    files = sorted(folder.glob("*.yaml"))
    if not files:
        tree.add_fault(str(folder), 0, "no .yaml file in this folder")
        return
    tree.home = str(folder / "protocol.yaml") if folder / "protocol.yaml" in files else str(files[0])
    for path in files:
        _merge(tree, _root(tree, path), str(path))
    for path in sorted((folder / "forms").glob("*.yaml")):
        node = _root(tree, path)
        if node is not None:
            _append(tree, "forms", [node], str(path))


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
        if key in {EXTENDS, RETIRE}:
            continue
        if isinstance(value_node, SequenceNode):
            tree.keys.setdefault((key,), _span(file, key_node))
            _append(tree, key, value_node.value, file)
            tree.values.setdefault((key,), _span(file, value_node))
        elif key in tree.data and ("", key) in tree.below:
            _replace(tree, key, key_node, value_node, file)
        elif key in tree.data:
            first = tree.keys[(key,)]
            tree.add_fault(
                file, key_node.start_mark.line + 1, f"'{key}' stands already in {first.file}:{first.first}"
            )
        else:
            tree.keys[(key,)] = _span(file, key_node)
            tree.data[key] = _build(tree, value_node, (key,), file, ())
            tree.places["", key] = 0


def _replace(tree: Tree, key: str, key_node: Node, value_node: Node, file: str) -> None:
    """What a layer says of a single part stands in place of what the layers below said."""
    built = tree.data[key]
    kept = dict(built) if key in MERGED and isinstance(built, dict) else {}
    if not kept:
        _forget(tree, (key,))
    tree.below.discard(("", key))
    tree.keys[(key,)] = _span(file, key_node)
    said = _build(tree, value_node, (key,), file, ())
    tree.data[key] = {**kept, **said} if isinstance(said, dict) else said


def _forget(tree: Tree, loc: Loc) -> None:
    for table in (tree.keys, tree.values):
        for known in [each for each in table if each[: len(loc)] == loc]:
            del table[known]


def _append(tree: Tree, key: str, nodes: list[Node], file: str) -> None:
    parts = tree.data.setdefault(key, [])
    if not isinstance(parts, list):
        tree.add_fault(file, 1, f"'{key}' is not a list in every file")
        return
    before = ""
    for node in nodes:
        named = (key, name_of(key, node))
        before, previous = named[1], before
        if not named[1]:
            parts.append(_build(tree, node, (key, len(parts)), file, ()))
        elif named in tree.retired:
            tree.places.setdefault(named, GONE)
        elif named in tree.below and tree.places[named] != GONE:
            _forget(tree, (key, tree.places[named]))
            parts[tree.places[named]] = _build(tree, node, (key, tree.places[named]), file, ())
            tree.below.discard(named)
        else:
            if named not in tree.places:
                tree.follows[named] = previous
            tree.places[named] = len(parts)
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
