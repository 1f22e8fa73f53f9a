"""Quality of a study against the charter: what passes goes to the readers by itself."""

from __future__ import annotations

from audit.context import Actor, acting
from foundation import clock
from imaging.errors import ReasonMissingError
from imaging.models import Study, StudyState
from imaging.rules.quality import findings, passes
from imaging.selectors.studies import series_facts, standard_of
from imaging.services.reading import queue_reads


def check_quality(*, actor: Actor, study: Study) -> Study:
    """Check a study, write down what was found, and hand it to the readers where it passes.

    A study that a person accepted stays accepted.
    """
    with acting(actor):
        held = Study.objects.select_for_update().get(pk=study.pk)
        found = findings(series_facts(held), standard_of(held))
        held.findings = [{"code": f.code, "severity": f.severity, "sentence": f.sentence} for f in found]
        held.checked_at = clock.now()
        accepted = passes(found) or bool(held.accepted_because)
        held.state = StudyState.QC_PASS if accepted else StudyState.QC_QUERY
        held.save(update_fields=["findings", "checked_at", "state"])
        if accepted:
            queue_reads(actor=actor, study=held)
    return held


def accept_quality(*, actor: Actor, study: Study, reason: str) -> Study:
    """Accept a study in spite of what the check found, with the reason; the readers get it.

    Raises
    ------
    ReasonMissingError
    """
    if len(reason.strip()) < 3:
        raise ReasonMissingError(field="reason")
    with acting(actor, reason=reason):
        Study.objects.filter(pk=study.pk).update(accepted_because=reason.strip()[:300])
        return check_quality(actor=actor, study=study)
