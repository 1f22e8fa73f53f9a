"""What a consistency rule reports, and walking a protocol's tree."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trials.schema import Part

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """An inconsistency, at a place of the tree.

    Attributes
    ----------
    loc : tuple
        Keys and indices from the root, as the pack spells them.
    message : str
        A sentence for the author of the pack.
    text, offset : str, int
        The rule text and the character of it that the message is about, where it is about a rule.
    written_only : bool
        Leave it out where the pack does not write this place itself (an inherited source).
    """

    loc: Loc
    message: str
    text: str = ""
    offset: int = 0
    written_only: bool = False


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `": did you mean 'X'?"` for the nearest known word, or nothing when none is near."""
    candidates = sorted(set(known))
    near = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    if not near:
        folded = {each.casefold(): each for each in candidates}
        near = [folded[each] for each in difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)]
    return f": did you mean '{near[0]}'?" if near else ""


def unknown_reference(loc: Loc, what: str, word: str, known: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding when `word` is not among the known ones."""
    words = set(known)
    if word not in words:
        yield Finding(loc, f"unknown {what} '{word}'{did_you_mean(word, words)}")


def repeated(locs: Iterable[tuple[Loc, str]], what: str) -> Iterator[Finding]:
    """Yield a finding for each second use of an identifier."""
    seen: Counter[str] = Counter()
    for loc, word in locs:
        seen[word] += 1
        if seen[word] == 2:
            yield Finding(loc, f"{what} '{word}' stands twice")


def parts_of(part: Part, loc: Loc = ()) -> Iterator[tuple[Loc, Part]]:
    """Yield every part of a tree with its place, the root first."""
    yield loc, part
    for name, field in type(part).model_fields.items():
        yield from _parts_in(getattr(part, name), (*loc, field.alias or name))


def _parts_in(value: object, loc: Loc) -> Iterator[tuple[Loc, Part]]:
    if isinstance(value, Part):
        yield from parts_of(value, loc)
    elif isinstance(value, tuple):
        for i, each in enumerate(value):
            yield from _parts_in(each, (*loc, i))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _parts_in(each, (*loc, key))
