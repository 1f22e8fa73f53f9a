"""Who gets what at which address: the specification of access, one row for each address of the project.

A row names the permission that one needs (`accounts.policies.PERMISSIONS` says which roles hold it), how far it
reaches, and the methods. `test_access.py` sends every method to every row as everybody: each role of the home site, the
same roles of another site, somebody without a role, and nobody. An address without a row fails.

To add an address, add one line here. Parameters of the address are filled in by their names from
`tests/architecture/access_world.py`; where a name stands for several things, say which: `opaque="read"`.

Answers
-------
- not signed in: to the sign-in page (302); a program gets 401;
- holds the permission nowhere: 404, whatever the method, so that nobody learns that it is there;
- a method that nobody may use there: 405, which tells nothing of the thing;
- may see such things and nowhere do this to one: 403;
- holds it at another site only, or the thing is another person's: 404;
- may: what the row says for GET (200 unless said otherwise); a writing method gets as far as judging what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from accounts.decorators import PUBLIC, SIGNED_IN

Reach = Literal["somewhere", "site", "reader", "exporter", "owner"]
"""`somewhere`: lists and trials, for who holds the permission at any site; `site`: a thing of the home site;
the others: a thing that belongs to one person."""


@dataclass(frozen=True)
class Row:
    """One address.

    Attributes
    ----------
    needs
        The permission that the view is marked with.
    methods
        Methods that it takes, each with a permission that one needs besides, or nothing.
    also
        Permission without which the thing is not there, besides `needs`.
    answers
        Statuses of GET for those who may.
    samples
        Which sample fills a parameter, where it is not the one of the same name.
    absent
        In the world of the tests there is no such thing for anybody.
    but
        People who get another status than their permissions say, because of a rule of the room.
    """

    needs: str
    reach: Reach
    methods: Mapping[str, str]
    also: str = ""
    answers: frozenset[int] = frozenset({200})
    samples: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: Mapping[str, str] = field(default_factory=dict)
    but: Mapping[str, int] = field(default_factory=dict)
    absent: bool = False


def _row(
    needs: str,
    reach: Reach,
    methods: Mapping[str, str],
    *,
    get: int | tuple[int, ...] = 200,
    also: str = "",
    query: str = "",
    body: Mapping[str, str] | None = None,
    but: Mapping[str, int] | None = None,
    absent: bool = False,
    **samples: str,
) -> Row:
    answers = frozenset({get} if isinstance(get, int) else get)
    return Row(needs, reach, methods, also, answers, samples, query, body or {}, but or {}, absent)


def shows(needs: str, reach: Reach = "site", **more: object) -> Row:
    """A page."""
    return _row(needs, reach, {"GET": ""}, **more)  # type: ignore[arg-type]


def asks(needs: str, reach: Reach = "site", *, then: str = "", **more: object) -> Row:
    """A page with a form that is sent to the same address."""
    return _row(needs, reach, {"GET": "", "POST": then}, **more)  # type: ignore[arg-type]


def does(needs: str, reach: Reach = "site", *, then: str = "", **more: object) -> Row:
    """Something that is only sent; GET is 405."""
    return _row(needs, reach, {"POST": then}, **more)  # type: ignore[arg-type]


def api(needs: str, reach: Reach = "site", methods: str = "GET", *, then: str = "", **more: object) -> Row:
    """An address for programs; writing methods need `then`, and who sees the thing without it gets 403."""
    names = methods.split()
    return _row(needs, reach, {name: "" if name == "GET" else then for name in names}, **more)  # type: ignore[arg-type]


FORM_ACTS = {
    "save": does("entry.write"),
    "complete": does("entry.write"),
    "not-done": does("entry.write"),
    "after-all": does("entry.write"),
    "strike-out": does("entry.write"),
    "restore": does("entry.write"),
    "live": shows("entry.view"),
    "draft": does("entry.write"),
    "earlier": shows("entry.write"),
    "blank": does("entry.write"),
    "take-back": does("entry.write"),
    "item": shows("entry.view"),
    "ask": does("query.raise"),
    "verify": does("verify.entry"),
}

TABLE: Mapping[str, Row] = {
    # The door and one's own account ---------------------------------------------------------------------------------
    "account_login": asks(PUBLIC, "somewhere", get=(200, 302)),
    "mfa_authenticate": asks(PUBLIC, "somewhere", get=302),
    "account_inactive": shows(PUBLIC, "somewhere", get=403),
    "account_logout": asks(PUBLIC, "somewhere", get=(200, 302)),
    "draft-after-session": does(PUBLIC, "somewhere", body={"ticket": "forged"}),
    "account": shows(SIGNED_IN, "somewhere"),
    "end-sessions": does(SIGNED_IN, "somewhere"),
    "tokens": asks(SIGNED_IN, "somewhere"),
    "revoke-token": does(SIGNED_IN, "owner"),
    "account_change_password": asks(SIGNED_IN, "somewhere"),
    "account_reauthenticate": asks(SIGNED_IN, "somewhere", get=(200, 302)),
    "mfa_reauthenticate": asks(SIGNED_IN, "somewhere", get=(200, 302)),
    "mfa_index": shows(SIGNED_IN, "somewhere", get=(200, 302)),
    "mfa_activate_totp": asks(SIGNED_IN, "somewhere", get=(200, 302)),
    "mfa_deactivate_totp": asks(SIGNED_IN, "somewhere", absent=True),
    "mfa_view_recovery_codes": shows(SIGNED_IN, "somewhere", absent=True),
    "mfa_generate_recovery_codes": asks(SIGNED_IN, "somewhere", get=(200, 302)),
    "mfa_download_recovery_codes": shows(SIGNED_IN, "somewhere", absent=True),
    # People and the trail -------------------------------------------------------------------------------------------
    "editing": asks("edit.stop", "somewhere"),
    "give-edit-access-back": does("edit.stop", "somewhere"),
    "people": shows("user.admin", "somewhere"),
    "add-person": asks("user.admin", "somewhere"),
    "person": shows("user.admin", "somewhere"),
    "add-grant": does("user.admin", "somewhere"),
    "end-grant": does("user.admin", "somewhere"),
    "new-password": asks("user.admin", "somewhere"),
    "deactivate-person": does("user.admin", "somewhere"),
    "reactivate-person": does("user.admin", "somewhere"),
    "verify-identity": does("user.admin", "somewhere"),
    "name-principal": asks("user.admin", "somewhere"),
    "end-principal": does("user.admin", "somewhere", username="principal", line="principal_line"),
    "accountability": asks(SIGNED_IN, "somewhere"),
    "delegations": shows("delegation.view", "somewhere"),
    "add-delegation": does("delegation.keep", body={"place": "THERMODOX/NO-01"}),
    "end-delegation": does("delegation.keep"),
    "audit": shows("audit.view", "somewhere"),
    "audit-file": shows("audit.view", "somewhere"),
    "audit-review": asks("audit.view", "somewhere"),
    "audit-reviews": shows("audit.view", "somewhere"),
    "trail-standing": shows(SIGNED_IN, "somewhere"),
    "trail-bundle": does("trail.export", "somewhere"),
    # Trials, subjects, casebook -------------------------------------------------------------------------------------
    "trials:list": shows("report.view", "somewhere"),
    "trials:protocol": shows("report.view", "somewhere"),
    "trials:versions": shows("protocol.approve", "somewhere"),
    "trials:approve": does(
        "protocol.approve", "somewhere", body={"site": "SE-02", "version": "2.0", "approved_on": "2026-01-02"}
    ),
    "trials:withdraw-approval": does("protocol.approve", "somewhere"),
    "impact": asks("export.run", "somewhere"),
    "impact-status": shows("export.run", "exporter"),
    "move-subjects": asks("subject.amend", "somewhere"),
    "subject-version": asks("subject.view", then="subject.amend", body={"version": "2.0"}),
    "subjects": shows("subject.view", "somewhere"),
    "casebooks": shows("subject.view", "somewhere", get=302),
    "register": asks("subject.register", "somewhere"),
    "subject": shows("subject.view"),
    "subject-compare": shows("entry.view"),
    "casebook-pdf": shows("entry.view"),
    "casebook-copy": shows("entry.view", "owner"),
    "casebook-copy-status": shows("entry.view", "owner"),
    "casebook-copy-file": shows("entry.view", "owner"),
    "visit-unscheduled": does("visit.record"),
    "visit-happened": does("visit.record"),
    "visit-missed": does("visit.record"),
    "visit-deviation": shows("entry.write", get=(302, 404)),
    "visit-not-happened": does("visit.record"),
    "form": shows("entry.view"),
    "form-row": shows("entry.view"),
    "form-rows": shows("entry.view", form="rows"),
    "form-add": does("entry.write"),
    "form-none": does("entry.write"),
    **{f"form-{name}": row for name, row in FORM_ACTS.items()},
    **{f"form-row-{name}": row for name, row in FORM_ACTS.items()},
    "signatures": asks("sign.entry", "somewhere"),
    "milestones": asks("entry.view", "somewhere", then="lock.entry", body={"trial": "THERMODOX"}),
    "subject-signatures": shows("entry.view"),
    "signed-record": shows("entry.view"),
    "states-move": does("entry.view", then="freeze.entry", verb="state_verb"),
    "locks": shows("entry.view", "somewhere"),
    "site-lock": shows("entry.view", site="home_site"),
    "study-lock-move": does("entry.view", "somewhere", then="lock.entry", verb="place_verb"),
    "site-lock-move": does("entry.view", then="lock.entry", site="home_site", verb="place_verb"),
    "lock-run-status": shows("entry.view"),
    "place-lock": shows("entry.view"),
    "place-unlock": shows("entry.view", unlock="place_unlock"),
    "place-unlock-answer": does("unlock.approve", unlock="place_unlock", decision="decision"),
    "unlocks": shows("entry.view", "somewhere"),
    "unlock": shows("entry.view"),
    "unlock-answer": does("unlock.approve"),
    "queries": shows("entry.view", "somewhere"),
    "queries-work-off": does("query.close", "somewhere"),
    "check-yield": shows("check.yield", "somewhere"),
    "verification": shows("verification.view", "somewhere"),
    "trials:laboratories": asks("laboratory.view", "somewhere", then="laboratory.write"),
    "trials:laboratory": asks("laboratory.view", then="laboratory.write", code="laboratory"),
    "trials:ranges-export": shows("laboratory.view", code="laboratory"),
    "trials:ranges-import": does("laboratory.write", code="laboratory"),
    "trials:range": asks("laboratory.write", code="laboratory"),
    "laboratory-values": asks("laboratory.view", then="laboratory.write", code="laboratory"),
    "query-move": does("entry.view", then="query.answer"),
    # Eligibility, treatment -----------------------------------------------------------------------------------------
    "eligibility": shows("eligibility.view"),
    "eligibility-trials": shows("eligibility.view"),
    "eligibility-sign": asks(
        "eligibility.sign", query="?decision=NOT_ELIGIBLE", body={"decision": "NOT_ELIGIBLE"}
    ),
    "treatment": shows("treatment.view"),
    "randomise": does("allocate.subject"),
    # Images and reads -----------------------------------------------------------------------------------------------
    "dicomweb-studies": api("image.view", "somewhere", "GET POST", then="image.upload"),
    "dicomweb-all-series": api("image.view", "somewhere"),
    "dicomweb-all-instances": api("image.view", "somewhere"),
    "dicomweb-study": api("image.view"),
    "dicomweb-study-metadata": api("image.view"),
    "dicomweb-series-of-study": api("image.view"),
    "dicomweb-instances-of-study": api("image.view"),
    "dicomweb-series": api("image.view"),
    "dicomweb-series-metadata": api("image.view"),
    "dicomweb-instances": api("image.view"),
    "dicomweb-instance": api("image.view"),
    "dicomweb-instance-metadata": api("image.view"),
    "dicomweb-frame": api("image.view"),
    "image-inbox": shows("image.view", "somewhere"),
    "subject-images": shows("image.view"),
    "visit-images": shows("image.upload"),
    "image-first-step": shows("image.upload", "somewhere"),
    "image-manifest": does("image.upload"),
    "image-batch": shows("image.view", opaque="upload"),
    "image-files": does("image.upload", opaque="upload"),
    "image-finish": does("image.upload", opaque="upload"),
    "image-status": shows("image.view", opaque="upload"),
    "image-study": shows("image.view", opaque="study"),
    "image-accept": does("query.raise", also="image.view", opaque="study"),
    "image-question": does("query.raise", also="image.view", opaque="study"),
    "image-withdraw": does("image.match", opaque="study"),
    "image-restore": does("image.match", opaque="study"),
    "image-decide": does("image.upload", opaque="upload"),
    "inbox-examination": shows("image.match", opaque="arrived"),
    "inbox-match": does("image.match", opaque="arrived"),
    "inbox-reject": does("image.match", opaque="arrived"),
    "image-thumbnail": shows("image.view", opaque="series"),
    "image-release": does("image.upload"),
    "image-reject": does("image.upload"),
    "image-held": shows("image.upload"),
    "image-held-picture": shows("image.upload"),
    "image-cover": does("image.upload"),
    "reads-overseen": shows("read.oversee", "somewhere"),
    "read-report": shows("read.oversee", "somewhere", opaque="read", absent=True),
    "reading-queue": shows("read.perform", "somewhere"),
    "reading-next": shows("read.perform", "somewhere", get=302),
    "reading-case": shows("read.open", "reader", opaque="read"),
    "reading-series": shows("read.open", "reader", opaque="read"),
    "reading-prior": shows("read.open", "reader", opaque="read"),
    "reading-frame": shows("read.open", "reader", opaque="read"),
    "reading-marks": does("read.open", "reader", opaque="read"),
    "reading-outcome": does("read.open", "reader", opaque="read"),
    "reading-findings": does("read.open", "reader", opaque="read"),
    "reading-sign": asks("read.open", "reader", opaque="read", get=422),  # nothing is judged yet
    "reading-correct": does("read.open", "reader", opaque="read"),
    "readers": shows("read.oversee", "somewhere"),
    "reader-record": does("read.oversee", "somewhere"),
    "reading-choose": does("read.open", "reader", opaque="read"),
    "reading-drop": does("read.open", "reader", opaque="read"),
    "reading-size": does("read.open", "reader", opaque="read"),
    "reading-time": does("read.open", "reader", opaque="read"),
    "adjudications": shows("adjudicate.read", "somewhere"),
    "adjudication": shows("adjudicate.read", "somewhere", opaque="pair"),
    "adjudication-series": shows("adjudicate.read", "somewhere", opaque="pair"),
    "adjudication-frame": shows("adjudicate.read", "somewhere", opaque="pair", instance="pair_instance"),
    "adjudication-anew": does("adjudicate.read", "somewhere", opaque="pair"),
    "adjudication-release": does("adjudicate.read", "somewhere", opaque="pair"),
    "adjudication-decide": does("adjudicate.read", "somewhere", opaque="pair"),
    # Quality of life; the patient's pages open to who holds the link, here without a licence of the language ----------
    "quality-of-life": shows("qol.view"),
    "questionnaire-invite": does("qol.invite"),
    "questionnaire-revoke": does("qol.invite"),
    "questionnaire": asks(PUBLIC, "somewhere", get=409, token="link"),
    "questionnaire-review": asks(PUBLIC, "somewhere", get=409, token="link"),
    "questionnaire-question": asks(PUBLIC, "somewhere", get=409, token="link", number="question"),
    # Safety, endpoints, reports -------------------------------------------------------------------------------------
    "safety": shows("safety.view"),
    "subject-endpoints": shows("report.view", also="subject.view"),
    "trial-endpoints": shows("report.view", "somewhere"),
    "find": shows("subject.view", "somewhere", get=302),
    "home": shows(SIGNED_IN, "somewhere", get=302),
    "today": shows(SIGNED_IN, "somewhere"),
    "progress": shows("report.view", "somewhere"),
    "exports": asks("export.run", "somewhere"),
    "lock-snapshot": shows("export.run", get=302),
    "deliver": asks("read.oversee", "somewhere"),
    "export-readers": shows("read.oversee", "exporter"),
    "export": shows("export.run", "exporter"),
    "export-status": shows("export.run", "exporter"),
    "export-file": shows("export.run", "exporter"),
    # Programs -------------------------------------------------------------------------------------------------------
    "api:schema": shows(PUBLIC, "somewhere"),
    "api:docs": shows(PUBLIC, "somewhere"),
    "api:nothing": api(SIGNED_IN, "somewhere", absent=True),
    "api:me": api(SIGNED_IN, "somewhere"),
    "api:trials": api("report.view", "somewhere"),
    "api:trial": api("report.view", "somewhere"),
    "api:protocol": api("report.view", "somewhere"),
    "api:protocol-form": api("report.view", "somewhere"),
    "api:locks": api("entry.view", "somewhere"),
    "api:subjects": api("subject.view", "somewhere", "GET POST", then="subject.register"),
    "api:subject": api("subject.view"),
    "api:visits": api("subject.view"),
    "api:visit-unscheduled": api("subject.view", methods="POST", then="visit.record"),
    "api:visit-happened": api("subject.view", methods="POST", then="visit.record"),
    "api:visit-missed": api("subject.view", methods="POST", then="visit.record"),
    "api:upload-start": api("image.view", methods="POST", then="image.upload"),
    "api:forms": api("entry.view"),
    "api:form-rows": api("entry.view", methods="POST", then="entry.write"),
    "api:form": api("entry.view", methods="GET PATCH", then="entry.write"),
    "api:form-complete": api("entry.view", methods="POST", then="entry.write"),
    "api:form-not-done": api("entry.view", methods="POST", then="entry.write"),
    "api:form-confirm": api("entry.view", methods="POST", then="entry.write"),
    "api:states": api("entry.view"),
    "api:signatures": api("entry.view"),
    "api:eligibility": api("eligibility.view"),
    "api:assessments": api("eligibility.view"),
    "api:assessment": api("eligibility.view"),
    "api:queries": api("entry.view", "somewhere"),
    "api:query": api("entry.view"),
    "api:query-answer": api("entry.view", methods="POST", then="query.answer"),
    "api:query-close": api("entry.view", methods="POST", then="query.close"),
    "api:query-reopen": api("entry.view", methods="POST", then="query.close"),
    "api:studies": api("image.view", "somewhere"),
    "api:study": api("image.view"),
    "api:upload": api("image.view"),
    "api:upload-file": api("image.view", methods="PUT", then="image.upload"),
    "api:upload-finish": api("image.view", methods="POST", then="image.upload"),
    "api:exports": api("export.run", "somewhere", "GET POST", then="export.run"),
    "api:export": api("export.run", "exporter"),
    "api:export-file": api("export.run", "exporter"),
}
