"""Endpoints: which derivation, with which parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from trials.schema.base import Plain, Sourced, Text


class Endpoint(Sourced):
    """An endpoint of the trial.

    Attributes
    ----------
    paramcd : str
        ADaM parameter code, at most eight characters (`PARAMCD` in the pack).
    kind : str
        The derivation, by name.
    parameters : dict
        What the derivation needs; decimals as text.
    """

    paramcd: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,7}$")] = Field(alias="PARAMCD")
    label: Text
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    role: Literal["primary", "secondary", "exploratory"] = "secondary"
    sub_studies: tuple[Text, ...] = ()
    parameters: dict[str, Plain] = Field(default_factory=dict)
