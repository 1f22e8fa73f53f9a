"""What can be wrong with a rule, a document of facts, or a unit."""

from __future__ import annotations


class RuleError(ValueError):
    """A rule text that cannot be understood.

    Attributes
    ----------
    message : str
        What is wrong, as a sentence for the author of the rule.
    offset : int
        Where in the text it is wrong: characters from its beginning, 0 for the first.
    length : int
        How many characters are meant; 0 at the end of the text.
    """

    def __init__(self, message: str, offset: int, length: int = 1) -> None:
        super().__init__(f"{message} (at character {offset + 1})")
        self.message = message
        self.offset = offset
        self.length = length


class FactError(ValueError):
    """A fact of a kind that no rule may be given, such as a binary float.

    Attributes
    ----------
    path : str
        Name of the fact, as ``LB.HGB`` or ``EH_EPISODES[0].EHENDDAT``.
    message : str
        What is wrong with it.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class UnitError(ValueError):
    """A unit that is not known, or not one of the units of the analyte."""
