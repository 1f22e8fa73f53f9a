"""Facts: the document that rules read, and where each fact is taken from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trials.schema.base import FactName, FieldName, Part, Rule, Text

ScalarType = Literal["number", "integer", "quantity", "date", "datetime", "code", "text", "boolean"]
FactTypeName = Literal["number", "integer", "quantity", "date", "datetime", "code", "text", "boolean", "list"]
AS_OF = "as_of"
REGISTRY = "registry"


class FactField(Part):
    """A field of the records in a list fact.

    Attributes
    ----------
    from_ : str
        The item that fills the field, where it is named otherwise (`from` in the pack).
    """

    type: ScalarType
    from_: str = Field(default="", alias="from")
    codelist: str = ""
    analyte: str = ""
    unit: str = ""
    absent: str = "unknown"
    label: str = ""


class Fact(Part):
    """One fact of the document.

    Attributes
    ----------
    from_ : str
        `as_of` (the evaluation date), `FORM.ITEM` (latest value), `FORM` (rows, for a list of records)
        or `registry` (answered by an upper room under the fact's name). `from` in the pack.
    of : str
        Type of the members of a list of scalars; taken from the item where not said.
    where : str
        Rule over the items of one row: which rows belong to the list.
    when : str
        Rule over facts: when false, the key is absent.
    absent : str
        What an absent key means: `unknown`, `none` (an empty list; not applicable) or a code.
    """

    name: FactName
    type: FactTypeName
    label: str = ""
    from_: Text = Field(alias="from")
    of: ScalarType | None = None
    analyte: str = ""
    unit: str = ""
    codelist: str = ""
    where: Rule = ""
    when: Rule = ""
    absent: str = "unknown"
    fields: dict[FieldName, FactField] = Field(default_factory=dict)
    note: str = ""
