"""Addresses of the casebook."""

from django.urls import path, register_converter

from casebook.converters import FormCode, PlaceVerb, QueryVerb, StateVerb, UnlockAnswer, VisitName
from casebook.views import (
    casebooks,
    compare,
    form,
    items,
    laboratories,
    places,
    queries,
    rows,
    signing,
    states,
    subject,
    together,
    verification,
)

register_converter(FormCode, "formcode")
register_converter(VisitName, "visitname")
register_converter(QueryVerb, "queryverb")
register_converter(StateVerb, "stateverb")
register_converter(PlaceVerb, "placeverb")
register_converter(UnlockAnswer, "unlockanswer")

SUBJECT = "subjects/<str:number>/"
VISIT = f"{SUBJECT}visits/<visitname:visit>/"
FORM = f"{SUBJECT}<visitname:visit>/<formcode:form>/"
ROW = f"{FORM}<int:repeat>/"

urlpatterns = [
    path("signatures/", signing.signatures, name="signatures"),
    path("signatures/milestones/", signing.milestones, name="milestones"),
    path("locks/", places.locks, name="locks"),
    path("locks/kept/<int:lock>/", places.place_lock, name="place-lock"),
    path("locks/runs/<int:run>/", places.run_status, name="lock-run-status"),
    path("locks/unlocks/<int:unlock>/", places.place_unlock, name="place-unlock"),
    path(
        "locks/unlocks/<int:unlock>/<unlockanswer:decision>/",
        places.answer_place_unlock,
        name="place-unlock-answer",
    ),
    path("locks/<str:trial>/study/<placeverb:verb>/", places.move_study, name="study-lock-move"),
    path("locks/<str:trial>/sites/<str:site>/", places.site_lock, name="site-lock"),
    path("locks/<str:trial>/sites/<str:site>/<placeverb:verb>/", places.move_site, name="site-lock-move"),
    path("unlocks/", states.unlocks, name="unlocks"),
    path("unlocks/<int:unlock>/", states.unlock, name="unlock"),
    path("unlocks/<int:unlock>/<unlockanswer:decision>/", states.answer_unlock, name="unlock-answer"),
    path(f"{SUBJECT}signatures/", signing.subject_signatures, name="subject-signatures"),
    path(f"{SUBJECT}signatures/<int:signed>/", signing.signed_record, name="signed-record"),
    path(f"{SUBJECT}states/<stateverb:verb>/", states.move, name="states-move"),
    path("drafts/", together.draft_after_session, name="draft-after-session"),
    path("casebooks/", casebooks.casebooks, name="casebooks"),
    path("queries/", queries.queries, name="queries"),
    path("verification/", verification.verification, name="verification"),
    path("queries/work-off/", queries.work_off, name="queries-work-off"),
    path("queries/yield/", queries.check_yield, name="check-yield"),
    path("queries/<int:query>/<queryverb:verb>/", items.move_query, name="query-move"),
    path("laboratories/<str:code>/values/", laboratories.stored_values, name="laboratory-values"),
    path(SUBJECT, subject.subject, name="subject"),
    path(f"{SUBJECT}compare/", compare.comparison, name="subject-compare"),
    path(f"{SUBJECT}visits/unscheduled/", subject.visit_unscheduled, name="visit-unscheduled"),
    path(f"{VISIT}happened/", subject.visit_happened, name="visit-happened"),
    path(f"{VISIT}not-happened/", subject.visit_not_happened, name="visit-not-happened"),
    path(f"{VISIT}deviation/", form.visit_deviation, name="visit-deviation"),
    path(f"{VISIT}missed/", subject.visit_missed, name="visit-missed"),
    path(f"{FORM}add/", form.add_row, name="form-add"),
    path(f"{FORM}rows/", rows.rows, name="form-rows"),
    path(f"{FORM}none/", form.none, name="form-none"),
    path(FORM, form.form, name="form"),
    path(ROW, form.form, name="form-row"),
]
for _prefix, _name in ((FORM, "form"), (ROW, "form-row")):
    urlpatterns += [
        path(f"{_prefix}save/", form.save, name=f"{_name}-save"),
        path(f"{_prefix}complete/", form.complete, name=f"{_name}-complete"),
        path(f"{_prefix}not-done/", form.not_done, name=f"{_name}-not-done"),
        path(f"{_prefix}after-all/", form.after_all, name=f"{_name}-after-all"),
        path(f"{_prefix}strike-out/", form.strike_out, name=f"{_name}-strike-out"),
        path(f"{_prefix}restore/", form.restore, name=f"{_name}-restore"),
        path(f"{_prefix}live/", together.live, name=f"{_name}-live"),
        path(f"{_prefix}draft/", together.draft, name=f"{_name}-draft"),
        path(f"{_prefix}earlier/", together.earlier, name=f"{_name}-earlier"),
        path(f"{_prefix}blank/", together.blank, name=f"{_name}-blank"),
        path(f"{_prefix}blank/undo/", together.take_back, name=f"{_name}-take-back"),
        path(f"{_prefix}item/<str:item>/", items.item, name=f"{_name}-item"),
        path(f"{_prefix}ask/", items.ask, name=f"{_name}-ask"),
        path(f"{_prefix}verify/", items.verify, name=f"{_name}-verify"),
    ]
