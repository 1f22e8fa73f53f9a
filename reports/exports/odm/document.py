"""The whole file, written piece by piece: never more in memory than the metadata and one subject.

References
----------
CDISC Operational Data Model 1.3.2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import IO, Any

from django.conf import settings
from lxml import etree

from accounts.models import Meaning, User
from audit.models import Event
from casebook.models import SignedRecord
from foundation import clock
from patients.models import Subject
from reports.exports.frame import Wanted
from reports.exports.odm.clinical import (
    TABLES,
    Told,
    clinical_data,
    location_oid,
    moment,
    signatures,
    user_oid,
)
from reports.exports.odm.metadata import (
    ODM,
    basic_definitions,
    element,
    global_variables,
    metadata_version,
    study_oid,
    tag,
    units_of,
    version_oid,
)
from reports.exports.sources import CHUNK
from trials.models import ProtocolVersion, SiteApproval
from trials.schema import Protocol

Progress = Callable[[int, int], None]
BATCH = 50
"""Subjects whose signatures are read together."""


@dataclass(frozen=True)
class Scope:
    """Who and what the file is about.

    Attributes
    ----------
    versions
        Protocols by the key of their version, the newest first.
    """

    wanted: Wanted
    moment: datetime
    subjects: Mapping[int, Subject]
    versions: Mapping[int, Protocol]

    @property
    def newest(self) -> Protocol:
        """The version that names the trial."""
        return next(iter(self.versions.values()))


def write_odm(wanted: Wanted, out: IO[bytes], progress: Progress | None = None) -> int:
    """Write a trial, or one of its subjects, as a transactional file; gives the number of subjects.

    Parameters
    ----------
    wanted
        Of which trial, sites and subject, and as of when.
    """
    scope = _scope(wanted)
    with etree.xmlfile(out, encoding="UTF-8") as file:
        file.write_declaration()
        with file.element(tag("ODM"), _heading(scope), nsmap={None: ODM}):
            _write_study(file, scope)
            file.write(_admin(scope))
            for number, told in enumerate(_subjects(scope), start=1):
                write_subject(file, scope, told)
                if progress:
                    progress(number, len(scope.subjects))
    return len(scope.subjects)


def _scope(wanted: Wanted) -> Scope:
    at = wanted.as_of or clock.now()
    found = Subject.objects.filter(trial=wanted.trial, screened_at__lte=at).select_related("site")
    if wanted.sites:
        found = found.filter(site__code__in=wanted.sites)
    if wanted.subject:
        found = found.filter(number=wanted.subject)
    versions = list(ProtocolVersion.objects.filter(trial=wanted.trial).order_by("-effective_from", "-pk"))
    then = [each for each in versions if each.published_at <= at] or versions
    return Scope(
        wanted,
        at,
        {subject.pk: subject for subject in found.order_by("pk")},
        {version.pk: version.protocol for version in then},
    )


def _heading(scope: Scope) -> dict[str, str]:
    trial = scope.wanted.trial
    return {
        "FileOID": f"{trial.code}.{scope.wanted.subject or 'ALL'}.{scope.moment:%Y%m%dT%H%M%S%f}",
        "FileType": "Transactional",
        "Granularity": "All",
        "CreationDateTime": moment(clock.now()),
        "AsOfDateTime": moment(scope.moment),
        "ODMVersion": "1.3.2",
        "Originator": scope.newest.trial.sponsor,
        "SourceSystem": "Hilum",
        "SourceSystemVersion": str(settings.VERSION),
    }


def _write_study(file: Any, scope: Scope) -> None:
    protocols = list(scope.versions.values())
    with file.element(tag("Study"), OID=study_oid(scope.newest)):
        file.write(global_variables(scope.newest))
        file.write(basic_definitions(units_of(protocols)))
        for protocol in protocols:
            file.write(metadata_version(protocol))


# People, sites, meanings --------------------------------------------------------------------------------------------


def _admin(scope: Scope) -> etree._Element:
    return element(
        "AdminData",
        *_users(scope),
        *_locations(scope),
        *(_meaning(Meaning(each)) for each in Meaning.values),
        StudyOID=study_oid(scope.newest),
    )


def _users(scope: Scope) -> Iterator[etree._Element]:
    """Everybody who wrote or signed here, and what acted by itself."""
    wrote = Event.objects.filter(subject_id__in=list(scope.subjects), table_name__in=TABLES)
    acted = set(wrote.order_by().values_list("actor_id", "actor").distinct())
    signed = SignedRecord.objects.filter(subject__in=list(scope.subjects))
    keys = {key for key, _ in acted if key} | set(signed.values_list("signature__signer", flat=True))
    for person in User.objects.filter(pk__in=keys).order_by("pk"):
        yield element(
            "User",
            element("LoginName", text=person.username),
            element("FullName", text=person.full_name),
            OID=user_oid(person.pk, ""),
        )
    for name in sorted(name for key, name in acted if key is None):
        yield element("User", element("FullName", text=name), OID=user_oid(None, name), UserType="Other")


def _locations(scope: Scope) -> Iterator[etree._Element]:
    approved: dict[str, list[SiteApproval]] = defaultdict(list)
    found = SiteApproval.objects.filter(version__in=list(scope.versions), withdrawn_on__isnull=True)
    for approval in found.select_related("site").order_by("approved_on", "pk"):
        approved[approval.site.code].append(approval)
    sites = {subject.site.code: subject.site for subject in scope.subjects.values()}
    for code, site in sorted(sites.items()):
        uses = [(scope.versions[each.version_id], each.approved_on) for each in approved[code]]
        first = list(scope.versions.values())[-1]
        refs = [
            element(
                "MetaDataVersionRef",
                StudyOID=study_oid(protocol),
                MetaDataVersionOID=version_oid(protocol),
                EffectiveDate=day.isoformat(),
            )
            for protocol, day in [(first, first.version.effective_from), *uses]
        ]
        yield element("Location", *refs, OID=location_oid(code), Name=site.name, LocationType="Site")


def _meaning(meaning: Meaning) -> etree._Element:
    return element(
        "SignatureDef",
        element("Meaning", text=str(meaning.label)),
        element("LegalReason", text="Electronic signature under 21 CFR Part 11"),
        OID=f"SD.{meaning.value}",
        Methodology="Electronic",
    )


# Subjects -----------------------------------------------------------------------------------------------------------


def _subjects(scope: Scope) -> Iterator[Told]:
    """Each subject with its events and signatures, one after the other."""
    keys = list(scope.subjects)
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        signed = _signed(batch, scope.moment)
        events = Event.objects.filter(
            subject_id__in=batch, table_name__in=TABLES, at__lte=scope.moment
        ).order_by("subject_id", "id")
        mine = {
            key: list(rows)
            for key, rows in groupby(events.iterator(CHUNK), key=lambda event: event.subject_id)
        }
        for key in batch:
            yield Told(scope.subjects[key], mine.pop(key, []), signed.get(key, []), scope.versions)


def _signed(subjects: Sequence[int], at: datetime) -> dict[int, list[SignedRecord]]:
    found: dict[int, list[SignedRecord]] = defaultdict(list)
    rows = SignedRecord.objects.filter(subject__in=list(subjects), signature__at__lte=at)
    for record in rows.select_related("signature").order_by("pk"):
        found[record.subject_id].append(record)
    return found


def write_subject(file: Any, scope: Scope, told: Told) -> None:
    """Write one subject, and let go of it."""
    for number, (version, subject) in enumerate(clinical_data(told)):
        with file.element(tag("ClinicalData"), StudyOID=study_oid(scope.newest), MetaDataVersionOID=version):
            file.write(subject)
            signed = signatures(told.signed, location_oid(told.subject.site.code)) if number == 0 else None
            if signed is not None:
                file.write(signed)
