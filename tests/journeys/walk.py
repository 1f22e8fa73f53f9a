"""Every page of the house with the person who looks at it, and the addresses that are no pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.journeys.aftermath import after
from tests.journeys.world import World

Address = Callable[[World], str]


@dataclass(frozen=True)
class Stop:
    """A page: the name of its address, who looks, and where it is in a world."""

    name: str
    who: str
    where: Address
    state: str = ""
    """What is opened on the page before it is looked at (a state of the same address)."""


def stop(name: str, who: str, *parts: Callable[[World], object], query: str = "", state: str = "") -> Stop:
    """A stop whose address is made of parts of the world."""
    return Stop(name, who, lambda world: reverse(name, args=[part(world) for part in parts]) + query, state)


def hopeful(world: World) -> object:
    """The candidate's number."""
    return world.hopeful.number


def treated(world: World) -> object:
    """The number of the subject under treatment."""
    return world.treated.number


def just(value: object) -> Callable[[World], object]:
    """A part that is the same in every world."""
    return lambda _: value


def token(world: World) -> object:
    """The secret of a patient's address."""
    return world.questionnaire


def aftermath(name: str) -> Callable[[World], object]:
    """A part that came later."""
    return lambda world: getattr(after(world), name)


GUARDED = "datamanager"
"""The person who signs in with a second factor by the end of the walk."""

STOPS = (
    stop("account_login", ""),
    stop("account_login", "", state="refused"),
    stop("account_inactive", ""),
    stop("api:docs", "coordinator"),
    stop("questionnaire", "", token),
    stop("questionnaire-question", "", token, just(1)),
    stop("questionnaire-review", "", token),
    stop("account", "coordinator"),
    stop("account", "coordinator", state="menu"),
    stop("account_change_password", "coordinator"),
    stop("account_reauthenticate", "coordinator"),
    stop("mfa_index", "coordinator"),
    stop("mfa_activate_totp", "coordinator"),
    stop("tokens", "coordinator"),
    stop("today", "coordinator"),
    stop("today", "coordinator", state="keys"),
    stop("subjects", "coordinator"),
    stop("subjects", "coordinator", query="?q=nobody"),
    stop("casebooks", "coordinator"),
    stop("casebooks", "monitor", query="?trial=THERMODOX&show=queries&sort=deadline"),
    stop("casebooks", "coordinator", query="?q=nobody"),
    stop("register", "coordinator"),
    stop("register", "coordinator", state="empty"),
    stop("subject", "coordinator", hopeful),
    stop("subject", "coordinator", treated),
    stop("subject", "coordinator", treated, state="visit"),
    stop("queries", "coordinator"),
    stop("queries", GUARDED),
    stop("form", "coordinator", hopeful, just("SCR"), just("DM")),
    stop("form", "coordinator", hopeful, just("SCR"), just("LB"), state="panel"),
    stop("form", "coordinator", hopeful, just("SCR"), just("LB"), state="problems"),
    stop("form", "monitor", hopeful, just("SCR"), just("LB"), state="panel"),
    stop("form", "coordinator", hopeful, just("SCR"), just("STG")),
    stop("form", "coordinator", hopeful, just("log"), just("AE")),
    stop("form", "coordinator", treated, just("P1"), just("EX")),
    stop("form-rows", "coordinator", treated, just("BL"), just("TU")),
    stop("form-rows", "coordinator", hopeful, just("log"), just("MH")),
    stop("form-row", "coordinator", treated, just("BL"), just("TU"), just(2)),
    stop("eligibility", "investigator", hopeful),
    stop("eligibility-trials", "investigator", hopeful),
    stop("eligibility-sign", "investigator", hopeful, query="?decision=NOT_ELIGIBLE"),
    stop("treatment", "coordinator", treated),
    stop("treatment", "coordinator", hopeful),
    stop("quality-of-life", "coordinator", treated),
    stop("safety", "coordinator", treated),
    stop("subject-endpoints", GUARDED, treated),
    stop("subject-images", "coordinator", treated),
    stop("visit-images", "coordinator", treated, just("M1")),
    stop("image-inbox", "coordinator"),
    stop("image-batch", "coordinator", lambda world: world.batch.opaque),
    stop("image-study", GUARDED, lambda world: world.study.opaque),
    stop("reads-overseen", "datamanager"),
    stop("readers", "datamanager"),
    stop("reading-queue", "reader"),
    stop("reading-case", "reader", lambda world: world.read.opaque),
    stop("progress", "sponsor"),
    stop("trial-endpoints", "sponsor", just("THERMODOX")),
    stop("casebook-copy", "coordinator", treated, lambda world: world.copy.pk),
    stop("exports", "sponsor"),
    stop("export", "sponsor", lambda world: world.export.pk),
    stop("deliver", "datamanager"),
    stop("export", "datamanager", lambda world: world.delivery.pk),
    stop("trials:list", "sponsor"),
    stop("trials:list", "coordinator"),
    stop("trials:protocol", "coordinator", just("THERMODOX")),
    stop("trials:protocol", "coordinator", just("EXCALIBUR"), query="?part=decisions"),
    stop("people", "admin"),
    stop("add-person", "admin"),
    stop("person", "admin", just("coordinator")),
    stop("new-password", "admin", just("coordinator")),
    stop("audit", "monitor"),
    stop("accountability", "investigator"),
    stop("delegations", "investigator"),
    stop("name-principal", "admin", just("investigator")),
    stop("audit-reviews", "monitor"),
    stop("audit-review", "monitor", query="?trial=THERMODOX"),
    stop("trail-standing", "monitor"),
    stop("trials:versions", "sponsor", just("EXCALIBUR")),
    stop("impact", "sponsor", just("EXCALIBUR"), aftermath("amendment")),
    stop("move-subjects", "coordinator", just("EXCALIBUR"), aftermath("amendment")),
    stop("subject-version", "coordinator", hopeful),
    stop("trials:laboratories", "datamanager"),
    stop("trials:laboratory", "datamanager", aftermath("laboratory")),
    stop("trials:range", "datamanager", aftermath("laboratory"), aftermath("range_id")),
    stop("laboratory-values", "datamanager", aftermath("laboratory")),
    stop("signatures", "investigator"),
    stop("milestones", "datamanager", query="?trial=THERMODOX"),
    stop("locks", "datamanager", query="?trial=THERMODOX"),
    stop("site-lock", "datamanager", just("THERMODOX"), just("NO-01")),
    stop("site-lock", "datamanager", just("THERMODOX"), just("SE-02")),
    stop("place-lock", "datamanager", aftermath("place_lock")),
    stop("place-unlock", "monitor", aftermath("place_unlock")),
    stop("editing", "datamanager", query="?trial=THERMODOX"),
    stop("unlocks", "coordinator"),
    stop("unlock", "datamanager", aftermath("unlock")),
    stop("subject-signatures", "investigator", treated),
    stop("signed-record", "investigator", treated, aftermath("signed")),
    stop("subject-compare", "coordinator", treated),
    stop("verification", "monitor"),
    stop("check-yield", "datamanager"),
    stop("adjudications", "adjudicator"),
    stop("adjudication", "adjudicator", aftermath("pair")),
    stop("inbox-examination", "coordinator", aftermath("arrived")),
    stop("image-held", "coordinator", aftermath("held")),
    stop("account_logout", "coordinator"),
    stop("mfa_index", GUARDED, state="guarded"),
    stop("mfa_deactivate_totp", GUARDED, state="guarded"),
    stop("mfa_view_recovery_codes", GUARDED, state="guarded"),
    stop("mfa_generate_recovery_codes", GUARDED, state="guarded"),
    stop("mfa_reauthenticate", GUARDED, state="guarded"),
    stop("mfa_authenticate", "", state="second factor"),
)

NO_PAGES = {
    "posted to": {
        "add-delegation", "add-grant", "adjudication-anew", "adjudication-decide", "adjudication-release",
        "deactivate-person", "end-delegation", "end-grant", "end-principal", "end-sessions", "form-add", "form-ask",
        "draft-after-session", "form-after-all", "form-none", "form-restore", "form-row-after-all", "form-row-restore",
        "form-blank", "form-complete", "form-draft", "form-row-blank", "form-row-draft", "form-row-take-back",
        "form-take-back", "image-decide", "image-question", "image-restore", "image-withdraw", "inbox-match",
        "inbox-reject", "queries-work-off", "reader-record", "reading-choose", "reading-drop", "reading-size",
        "reading-time", "states-move", "trials:approve",
        "trials:ranges-import", "trials:withdraw-approval", "unlock-answer", "verify-identity",
        "give-edit-access-back", "place-unlock-answer", "site-lock-move", "study-lock-move",
        "form-not-done", "form-row-ask", "form-row-complete", "form-row-not-done", "form-row-save",
        "form-row-strike-out", "form-row-verify", "form-save", "form-strike-out", "form-verify", "image-accept",
        "image-cover", "image-files", "image-finish", "image-manifest", "image-reject", "image-release", "query-move",
        "questionnaire-invite", "questionnaire-revoke", "randomise", "reactivate-person", "reading-correct",
        "reading-findings", "reading-marks", "reading-outcome", "revoke-token", "visit-happened", "visit-missed",
        "visit-not-happened",
        "visit-unscheduled",
    },
    "goes on to a page": {"find", "home", "lock-snapshot", "reading-next", "visit-deviation"},
    "data for a page": {
        "adjudication-series", "casebook-copy-status", "export-status", "form-live",
        "form-row-live", "image-first-step", "image-status", "impact-status", "lock-run-status",
        "reading-prior", "reading-series", "api:schema",
    },
    "a problem for programs": {"api:nothing"},
    "a file": {
        "adjudication-frame", "audit-file", "casebook-copy-file", "casebook-pdf", "export-file", "export-readers",
        "image-held-picture", "image-thumbnail", "mfa_download_recovery_codes", "read-report", "reading-frame",
        "trail-bundle", "trials:ranges-export",
    },
    "a part of a page, looked at as a state of it": {
        "form-earlier", "form-item", "form-row-earlier", "form-row-item", "reading-sign",
    },
}  # fmt: skip
"""Addresses that a browser never shows as a page, by what they are instead."""

PROGRAMS = ("api/v1/", "dicomweb/")


def names(resolver: URLResolver | None = None, space: str = "", route: str = "") -> Iterator[str]:
    """The names of all addresses but those for programs."""
    for pattern in (resolver or get_resolver()).url_patterns:
        whole = route + str(pattern.pattern)
        if whole.startswith(PROGRAMS):
            continue
        if isinstance(pattern, URLResolver):
            yield from names(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space, whole)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}"
