"""Taking one subject of the demonstration through its trial, as its people would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from accounts.models import User
from audit.context import Actor
from casebook import services as casebook
from casebook.models import Entry
from casebook.selectors import entries
from eligibility.services import sign_assessment
from foundation import clock
from patients.models import Subject
from patients.selectors import get_subject_by_key
from patients.services import register_patient, screen_patient
from reports.demo.entering import Values, enter_form
from reports.demo.profiles import LesionProfile, Profile
from reports.demo.signing import new_password
from treatment.services import allocate_subject
from trials.models import Site, Trial
from visits.models import Visit
from visits.selectors import get_visit
from visits.services import record_visit

PROPHYLAXIS = (
    # minutes before the infusion, drug, mg, route
    (1440, "DEXAMETHASONE", 20, "ORAL"),
    (30, "DEXAMETHASONE", 20, "INTRAVENOUS"),
    (30, "DIPHENHYDRAMINE", 50, "INTRAVENOUS"),
    (30, "FAMOTIDINE", 20, "INTRAVENOUS"),
)
INFUSION_AT = time(9, 0)


@dataclass(frozen=True)
class Staff:
    """Who works at a subject's site, and who monitors it."""

    coordinator: Actor
    investigator: User
    monitor: Actor


class Filler:
    """Fills one subject."""

    def __init__(self, profile: Profile, staff: Staff, site: Site, trial: Trial) -> None:
        self.profile = profile
        self.staff = staff
        self.today = clock.today(site.time_zone)
        patient = register_patient(actor=staff.coordinator, site=site, code=profile.patient)
        screened = screen_patient(actor=staff.coordinator, patient=patient, trial=trial)
        self.key = screened.pk

    @property
    def subject(self) -> Subject:
        """The subject as it is now."""
        return get_subject_by_key(self.key)

    def fill(self) -> Subject:
        """Everything that the profile says, in the order in which it happened."""
        self.screen()
        if self.profile.decision:
            self.sign()
        if self.profile.randomise:
            allocate_subject(actor=self.staff.coordinator, subject=self.subject)
        for number, day in enumerate(self.profile.procedures, start=1):
            self.treat(number, self.day(day))
        for name in self.profile.visits:
            self.follow_up(name)
        for query in self.profile.queries:
            entry = entries().get(
                subject=self.key, visit=get_visit(self.subject, query.visit), form=query.form, repeat=1
            )
            casebook.raise_query(actor=self.staff.monitor, entry=entry, item=query.item, text=query.text)
        return self.subject

    def day(self, offset: int) -> date:
        """A day counted from today."""
        return self.today + timedelta(days=offset)

    # Screening and baseline ---------------------------------------------------------------------------------------

    def screen(self) -> None:
        """Enter the screening forms, and the baseline where the protocol has one of its own."""
        on = self.day(self.profile.screened)
        protocol = self.subject.version.protocol
        for visit in protocol.visits:
            if visit.kind in {"screening", "baseline"}:
                if len(self.profile.open) < len(visit.forms):
                    self._happened(visit.code, on)
                for form in visit.forms:
                    self._screening_form(visit.code, form, on)

    def _screening_form(self, visit_code: str, form: str, on: date) -> None:
        if form in self.profile.open:
            begun = self.profile.screening.get(form)
            if begun:
                self.enter(visit_code, form, on, begun, complete=False)
            return
        if form == "TU" and self.profile.lesions:
            for row, lesion in enumerate(self.profile.lesions, start=1):
                self._lesion(visit_code, on, row, lesion)
            return
        known = self._known(form, on)
        if known is not None:
            self.enter(visit_code, form, on, known)

    def _known(self, form: str, on: date) -> Values | None:
        """What this subject brings for a form; None where the form does not apply to them."""
        if form in FORMS_WITH_A_CAUSE:
            return None
        if form == "DM":
            return self.profile.person
        usual = SCREENING.get((self.profile.trial, form), {})
        of_sex = REPRODUCTION.get((form, self.profile.person.get("SEX", "")), {})
        return {**usual, **of_sex, **self.profile.screening.get(form, {})}

    def _lesion(self, visit_code: str, on: date, row: int, lesion: LesionProfile) -> None:
        known = {
            "TULNKID": f"T{row:02}",
            "TUORRES": "TARGET",
            "TULOC": "LIVER",
            "TUSEG": lesion.at.rstrip("ab"),
            "LDIAM": f"{lesion.mm} mm",
            "UNRESECT": "Y",
        }
        if lesion.procedure:
            known["PLANPROC"] = str(lesion.procedure)
        blank = frozenset() if lesion.procedure else frozenset({"PLANPROC"})
        self.enter(visit_code, "TU", on, known, repeat=row, complete=not blank, leave=blank)

    def sign(self) -> None:
        """The investigator signs, with a password that is theirs for this one moment."""
        user = self.staff.investigator
        actor = Actor(id=user.pk, name=user.full_name, role="investigator")
        sign_assessment(
            actor=actor,
            user=user,
            subject=self.subject,
            password=new_password(user),
            decision=self.profile.decision,
            as_of=self.day(min(self.profile.screened + 2, 0)),
        )

    # Treatment and follow-up --------------------------------------------------------------------------------------

    def treat(self, number: int, on: date) -> None:
        """One procedure: prophylaxis, infusion, ablation of the lesions that it was planned for."""
        code = f"P{number}"
        self._happened(code, on)
        for row, premedication in enumerate(PROPHYLAXIS, start=1):
            self.enter(code, "CM_PRE", on, _premedication(number, on, *premedication), repeat=row)
        self.enter(code, "VS", on, {})
        self.enter(code, "RS", on, {})
        self.enter(code, "LB", on, {})
        self.enter(code, "EX", on, _infusion(number, on))
        targets = [row for row, lesion in enumerate(self.profile.lesions, 1) if lesion.procedure == number]
        for place, row in enumerate(targets):
            self.enter(code, "PR", on, _ablation(number, on, row, place), repeat=place + 1)

    def follow_up(self, name: str) -> None:
        """A visit on its target day, with all its forms."""
        visit = get_visit(self.subject, name)
        if visit.target is None:
            raise RuntimeError(f"{name} has no target yet")
        on = min(visit.target + timedelta(days=1), self.today)
        self._happened(name, on)
        protocol = self.subject.version.protocol
        for form in protocol.visit(visit.code).forms:
            if form in self.profile.unfinished.get(name, ()) or form in FORMS_WITH_A_CAUSE:
                continue
            known = FEELING.get(name, FEELING[""]) if form == "QS" else FOLLOW_UP.get(form, {})
            self.enter(name, form, on, known)

    def _happened(self, name: str, on: date) -> None:
        record_visit(actor=self.staff.coordinator, visit=get_visit(self.subject, name), happened_on=on)

    def enter(self, visit: str, form: str, on: date, known: Mapping[str, Any], **how: Any) -> Entry:
        """Enter one form of the subject."""
        place: Visit = get_visit(self.subject, visit)
        return enter_form(self.staff.coordinator, self.subject, place, form, on, known, **how)


def _premedication(number: int, on: date, before: int, drug: str, dose: int, route: str) -> Values:
    """One dose, so many minutes before an infusion at 09:00."""
    at = datetime.combine(on, INFUSION_AT) - timedelta(minutes=before)
    return {
        "PROCNO": number,
        "CMTRT": drug,
        "CMDOSE": dose,
        "CMROUTE": route,
        "CMSTDAT": at.date(),
        "CMSTTIM": f"{at:%H:%M}",
    }


def _infusion(number: int, on: date) -> Values:
    """An infusion of half an hour."""
    return {
        "PROCNO": number,
        "EXDOSE": 94,
        "EXLOT": "LTLD-2231",
        "EXSTDAT": on,
        "EXSTTIM": "09:00",
        "EXENDAT": on,
        "EXENTIM": "09:31",
        "EXITRPYN": "N",
    }


def _ablation(number: int, on: date, row: int, place: int) -> Values:
    """The ablation of one lesion; the first begins 22 minutes after the infusion did."""
    start = datetime.combine(on, INFUSION_AT) + timedelta(minutes=22 + 25 * place)
    return {
        "PROCNO": number,
        "TULNKID": f"T{row:02}",
        "PRTRT": "MWA",
        "PRSTDAT": on,
        "PRSTTIM": f"{start:%H:%M}",
        "PRENDAT": on,
        "PRENTIM": f"{start + timedelta(minutes=12):%H:%M}",
        "MARGIN": 7,
    }


def _answers(line: str) -> Values:
    """Answers to the eight questions, in their order."""
    return dict(zip(("GP1", "GP2", "GP4", "C2", "CNS7", "HI7", "HEP2", "HEP8"), line.split(), strict=True))


FORMS_WITH_A_CAUSE = frozenset({"EH", "MHC", "LL", "PT", "PTS"})
"""Forms that nobody in the demonstration needs."""
REPRODUCTION: dict[tuple[str, str], Values] = {
    ("RP", "F"): {"CHILDPOT": "N", "CHILDNP": "POSTMENOPAUSAL", "BRSTFD": "N"},
    ("RP", "M"): {"MALEREL": "N"},
}
FOLLOW_UP: dict[str, Values] = {
    "VS": {"WEIGHT": "68 kg"},
    "LB": {"NEUT": "1.9 10^9/L 1.5 7.3"},
    "IMG": {"PRTRT": "CT", "IMGREG": "LIVER", "UPLOAD": "SENT"},
    "TR": {"TRLNKID": "T01", "TUMSTATE": "PRESENT", "LDIAM": "36 mm"},
    "RSR": {"TRGRESP": "SD", "OVRLRESP": "SD", "LOCREC": "N"},
}
FEELING: dict[str, Values] = {
    "": _answers("2 1 2 0 1 2 0 1"),
    "D14": _answers("2 2 2 1 1 3 0 1"),
    "M4": _answers("3 2 2 1 2 3 0 2"),
}
"""How a subject feels, by visit; the empty name stands for the others."""
SCREENING: dict[tuple[str, str], Values] = {
    ("THERMODOX", "QS"): _answers("1 0 1 0 1 2 0 1"),
    ("THERMODOX", "VS"): {"HEIGHT": "172 cm"},
    ("EXCALIBUR", "VS"): {"HEIGHT": "176 cm"},
    ("THERMODOX", "CMH"): {"PRIORANTHRA": "N", "PRIORLINES": 2},
    ("EXCALIBUR", "CH"): {"PRIMRES": "Y", "RMARGIN": "R0", "PRIMADEQ": "Y"},
    ("EXCALIBUR", "CHS"): {"L1RESP": "PD", "L1INSUFF": "Y", "PLAN2L": "Y", "L2START": "N"},
    ("EXCALIBUR", "STG"): {
        "PETYN": "Y", "CTYN": "Y", "LIVMETNQ": "EQ", "DIAPHCT": "N", "DIAPHMR": "ND", "DIAPHUS": "ND",
        "PERIT": "N", "NRLN": "N", "LOCREC": "N", "OTHEH": "N",
    },
    ("EXCALIBUR", "MDT"): {"MDTDEC": "TRIAL", "LIVRESECT": "NOT RESECTABLE", "HAIANAT": "SUITABLE"},
}  # fmt: skip
"""What most subjects of a trial bring to screening, by form."""
