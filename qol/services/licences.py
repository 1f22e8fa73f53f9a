"""Recording a licence and the wording that it allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.context import Actor, acting
from qol.instrument_file import InstrumentFile, LanguagePart
from qol.models import InstrumentLicence, InstrumentText
from qol.selectors import newest_version
from trials.models import Trial


@dataclass(frozen=True)
class Loaded:
    """What came of a file.

    Attributes
    ----------
    versions
        Version of each language; `new` names those whose wording is new.
    """

    licence: InstrumentLicence
    versions: Mapping[str, int]
    new: frozenset[str]


def load_instrument(*, actor: Actor, trial: Trial, content: InstrumentFile) -> Loaded:
    """Record a licence and its wording.

    The same file twice changes nothing. A changed wording becomes the next version of its language; earlier versions
    stay. Dates and languages of a known licence are brought up to date.
    """
    part = content.licence
    with acting(actor):
        licence, _made = InstrumentLicence.objects.update_or_create(
            trial=trial,
            instrument=content.instrument,
            reference=part.reference,
            defaults={
                "holder": part.holder,
                "valid_from": part.valid_from,
                "valid_until": part.valid_until,
                "languages": sorted(set(part.languages)),
            },
        )
        kept = {text.language: _keep(licence, text) for text in content.texts}
    return Loaded(
        licence,
        {language: version for language, (version, _) in kept.items()},
        frozenset(language for language, (_, is_new) in kept.items() if is_new),
    )


def _keep(licence: InstrumentLicence, text: LanguagePart) -> tuple[int, bool]:
    """Version of a wording, and whether it is new."""
    version = newest_version(licence, text.language)
    wanted = {
        "": (text.instruction, []),
        **{item: (words, text.anchors) for item, words in text.items.items()},
    }
    known = InstrumentText.objects.filter(licence=licence, language=text.language, version=version)
    if {row.item: (row.text, row.anchors) for row in known} == wanted:
        return version, False
    InstrumentText.objects.bulk_create(
        InstrumentText(
            licence=licence,
            language=text.language,
            version=version + 1,
            item=item,
            text=words,
            anchors=anchors,
        )
        for item, (words, anchors) in wanted.items()
    )
    return version + 1, True
