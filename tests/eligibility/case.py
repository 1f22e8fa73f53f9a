"""A subject of Excalibur, entered as the first worked patient, and the people who look at it."""

from __future__ import annotations

from typing import Any

from eligibility import services
from eligibility.models import Assessment
from patients.models import Subject
from tests.cast import Cast
from tests.conftest import PASSWORD
from tests.eligibility.entering import Nurse
from tests.vectors import vectors
from trials.models import Site

FACTS: dict[str, dict[str, Any]] = {row["id"]: row["facts"] for row in vectors("patients")["rows"]}


class Case:
    """A subject with its casebook; `changes` are facts that differ from the worked patient."""

    def __init__(self, cast: Cast, site: Site | None = None, **changes: Any) -> None:
        self.cast = cast
        self.subject = cast.subject("EXCALIBUR", site)
        self.nurse = Nurse(cast, self.subject)
        self.nurse.enter_facts({**FACTS["V01"], **changes}, dated={"LB": "2025-09-10"}, quick=True)

    @property
    def address(self) -> str:
        """The subject's eligibility page."""
        return f"/subjects/{self.subject.number}/eligibility/"

    def sign(self, decision: str = "ELIGIBLE", who: str = "investigator", **more: Any) -> Assessment:
        """Sign through the service."""
        more.setdefault("password", PASSWORD)
        return services.sign_assessment(
            actor=self.cast.actor(who),
            user=self.cast.people[who],
            subject=self.subject,
            decision=decision,
            **more,
        )

    def again(self) -> Subject:
        """The subject as it is stored now."""
        self.subject = Subject.objects.select_related("trial", "site", "version").get(pk=self.subject.pk)
        return self.subject
