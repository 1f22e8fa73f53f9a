"""Reading a pack and checking all of it: shape first, then whether its parts agree."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from trials.packs.faults import Fault
from trials.packs.reading import Tree, read_pack
from trials.packs.shape import shape_faults
from trials.rules.consistency import inconsistencies
from trials.rules.findings import Finding
from trials.schema import Protocol


def load_pack(path: Path | str) -> tuple[Protocol | None, list[Fault]]:
    """Read a pack and return its protocol with every fault found.

    Parameters
    ----------
    path : Path or str
        Folder with `protocol.yaml` and its companions.

    Returns
    -------
    Protocol or None
        None where the shape is not that of a protocol. With faults, it must not be published.
    list of Fault
        Sorted by file and line; empty for a sound pack.
    """
    tree = read_pack(Path(path))
    try:
        protocol = Protocol.model_validate(tree.data)
    except ValidationError as error:
        faults = tree.faults if _unreadable(tree) else [*tree.faults, *shape_faults(tree, error)]
        return None, sorted(set(faults))
    found = [_fault(tree, each) for each in inconsistencies(protocol) if _is_written(tree, each)]
    return protocol, sorted({*tree.faults, *found})


def _unreadable(tree: Tree) -> bool:
    return not tree.data


def _is_written(tree: Tree, finding: Finding) -> bool:
    return not finding.written_only or finding.loc in tree.values


def _fault(tree: Tree, finding: Finding) -> Fault:
    span = tree.span(finding.loc)
    line = tree.line_of(span, finding.text, finding.offset) if finding.text else span.first
    return Fault(span.file, line, finding.message)
