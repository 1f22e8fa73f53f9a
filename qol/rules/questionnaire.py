"""Instruments that are known here, and the form of a protocol that takes their answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from qol.rules.fhsi_8_version_4 import BEST_SCORE, HIGHEST_RESPONSE, ITEMS
from trials.schema import Endpoint, Protocol


@dataclass(frozen=True)
class Instrument:
    """A questionnaire by its codes; its wording comes with a licence.

    Attributes
    ----------
    fact
        Name of the fact that lists its answers in a protocol pack.
    responses
        Codes of the answers, from the least to the most.
    best
        Highest score; higher is better.
    """

    code: str
    fact: str
    items: tuple[str, ...]
    responses: tuple[str, ...]
    best: int


FHSI_8 = Instrument(
    code="FHSI-8",
    fact="FHSI8",
    items=ITEMS,
    responses=tuple(str(response) for response in range(HIGHEST_RESPONSE + 1)),
    best=BEST_SCORE,
)
INSTRUMENTS: Mapping[str, Instrument] = {FHSI_8.code: FHSI_8}


@dataclass(frozen=True)
class Questionnaire:
    """An instrument as a form of a protocol takes it.

    Attributes
    ----------
    items
        Item of the form by item of the instrument.
    time_item, mode_item, language_item
        Empty where the form does not ask.
    """

    instrument: Instrument
    form: str
    items: Mapping[str, str]
    date_item: str
    time_item: str
    mode_item: str
    language_item: str


def questionnaire_of(protocol: Protocol) -> Questionnaire | None:
    """The questionnaire of a protocol that is scored here, or None.

    Notes
    -----
    It is found by its fact (`FHSI8`), whose fields say which item of the form holds which answer. Time, mode and
    language are the items that CDASH names beside the date (QSTIM, QSMODE, QSLANG beside QSDAT).
    """
    facts = {fact.name: fact for fact in protocol.facts}
    for instrument in INSTRUMENTS.values():
        fact = facts.get(instrument.fact)
        if fact is None or fact.type != "list" or not set(instrument.items) <= fact.fields.keys():
            continue
        form = protocol.form(fact.from_)
        stem = form.date_item.removesuffix("DAT")
        beside = {name: f"{stem}{name}" for name in ("TIM", "MODE", "LANG")}
        known = {name: item if item in form.items_by_id else "" for name, item in beside.items()}
        return Questionnaire(
            instrument=instrument,
            form=form.code,
            items={item: fact.fields[item].from_ or item for item in instrument.items},
            date_item=form.date_item,
            time_item=known["TIM"],
            mode_item=known["MODE"],
            language_item=known["LANG"],
        )
    return None


def deterioration_of(protocol: Protocol, instrument: Instrument) -> tuple[Decimal, Endpoint] | None:
    """The drop in points that the protocol calls deterioration, and the endpoint that says so."""
    for endpoint in protocol.endpoints:
        if endpoint.parameters.get("instrument") == instrument.code and "threshold" in endpoint.parameters:
            return Decimal(str(endpoint.parameters["threshold"])), endpoint
    return None
