"""What is wrong with a pack, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a pack.

    Attributes
    ----------
    file : str
        Path as given, with the file's name inside the pack.
    line : int
        Line, counted from 1; 0 where the file itself is missing.
    message : str
        A sentence for the author of the pack.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"
