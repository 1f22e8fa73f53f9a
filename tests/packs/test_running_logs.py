"""What runs along, tied to no visit: each log is there in both trials and can be written from consent on."""

from __future__ import annotations

import pytest

from casebook import services
from casebook.models import EntryState
from casebook.rules.status import planned_forms
from casebook.selectors import entries, worked_form
from tests.cast import Cast
from tests.eligibility.entering import Nurse
from treatment.rules.forms import treatment_forms
from trials.packs import amendments, bundled_protocol

TRIALS = ("THERMODOX", "EXCALIBUR")
LOGS = {
    "AE": "adverse events", "CM": "medication", "CMA": "cancer treatment", "PRO": "procedures", "MH": "history",
    "DV": "deviations",
}  # fmt: skip
STENT = {
    "PRTRT": "Bile duct stent", "PRCAT": "ENDOSCOPIC", "PRINDC": "Cholangitis", "PRSTDAT": "2025-03", "PRONGO": "N",
}  # fmt: skip
VERSIONS = [(trial, label) for trial in TRIALS for label in (None, *amendments(trial))]


@pytest.mark.parametrize(("trial", "label"), VERSIONS)
def test_every_version_has_the_running_logs(trial: str, label: str | None) -> None:
    protocol = bundled_protocol(trial, label) if label else bundled_protocol(trial)
    assert set(LOGS) <= set(planned_forms(protocol, None))
    assert all(protocol.form(each).repeating and protocol.form(each).row_label for each in LOGS)


@pytest.mark.parametrize("trial", TRIALS)
def test_a_procedure_of_the_log_is_no_treatment_of_the_trial(trial: str) -> None:
    """The ablation of ThermoDox is of the same domain, and waits for eligibility and consent; a stent does not."""
    protocol = bundled_protocol(trial)
    assert protocol.form("PRO").domain == "PR"
    assert "PRO" not in treatment_forms(protocol)
    assert not any(fact.from_.partition(".")[0] == "PRO" for fact in protocol.facts)


@pytest.mark.django_db
@pytest.mark.parametrize("trial", TRIALS)
def test_procedures_are_written_row_by_row_and_completed(cast: Cast, trial: str) -> None:
    nurse = Nurse(cast, cast.subject(trial))
    for row, values in enumerate((STENT, {**STENT, "PRTRT": "Liver biopsy", "PRCAT": "DIAGNOSTIC"}), start=1):
        entry = nurse.enter("PRO", values, repeat=row)
        assert worked_form(entry).picture.unanswered == ()
        services.complete_entry(actor=nurse.actor, entry=entry)
    rows = entries().filter(subject=nurse.subject, form="PRO")
    assert [each.visit for each in rows] == [None, None]
    assert {each.state for each in rows} == {EntryState.COMPLETE}


@pytest.mark.django_db
def test_what_still_goes_on_has_no_end(cast: Cast) -> None:
    nurse = Nurse(cast, cast.subject("EXCALIBUR"))
    entry = nurse.enter("PRO", {**STENT, "PRONGO": "Y"})
    assert "PRENDAT" not in worked_form(entry).picture.shown
    assert worked_form(nurse.enter("PRO", {"PRONGO": "N"})).picture.unanswered == ()
    late = worked_form(nurse.enter("PRO", {"PRENDAT": "2025-02-28"})).picture
    assert [(each.check_id, each.level) for each in late.findings] == [("PRO-END-01", "stop")]
    assert not late.can_be_completed
