"""States and signatures for programs: read only."""

from __future__ import annotations

import pytest

from tests.api.conftest import type_program
from tests.casebook.signing_case import Case
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_a_program_reads_states_and_signatures_and_signs_nothing(cast: Cast, program: type_program) -> None:
    case = Case(cast)
    entry = case.form()
    case.sign(case.key(entry=entry))
    case.save(entry, "HGB", "12.9", "g/dL")
    reader = program("monitor")
    (state,) = reader.get(f"subjects/{case.subject.number}/states/").json()["items"]
    assert (state["form"], state["signing"], state["locked"]) == ("LB", "AGAIN", False)
    address = f"subjects/{case.subject.number}/signatures/"
    (shown,) = reader.get(address).json()["items"]
    assert (shown["signer"], shown["meaning"], shown["genuine"], shown["changed"]) == (
        "Investigator Person", "approval", True, 1
    )  # fmt: skip
    assert shown["forms"][0]["digest"] != state["digest"]
    assert program("investigator").post(address, {}).status_code == 405
