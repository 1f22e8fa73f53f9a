"""Addresses of the casebook."""

from django.urls import path, register_converter

from casebook.converters import FormCode, QueryVerb, VisitName
from casebook.views import casebooks, compare, form, items, queries, subject

register_converter(FormCode, "formcode")
register_converter(VisitName, "visitname")
register_converter(QueryVerb, "queryverb")

SUBJECT = "subjects/<str:number>/"
VISIT = f"{SUBJECT}visits/<visitname:visit>/"
FORM = f"{SUBJECT}<visitname:visit>/<formcode:form>/"
ROW = f"{FORM}<int:repeat>/"

urlpatterns = [
    path("casebooks/", casebooks.casebooks, name="casebooks"),
    path("queries/", queries.queries, name="queries"),
    path("queries/<int:query>/<queryverb:verb>/", items.move_query, name="query-move"),
    path(SUBJECT, subject.subject, name="subject"),
    path(f"{SUBJECT}compare/", compare.comparison, name="subject-compare"),
    path(f"{SUBJECT}visits/unscheduled/", subject.visit_unscheduled, name="visit-unscheduled"),
    path(f"{VISIT}happened/", subject.visit_happened, name="visit-happened"),
    path(f"{VISIT}missed/", subject.visit_missed, name="visit-missed"),
    path(f"{FORM}add/", form.add_row, name="form-add"),
    path(FORM, form.form, name="form"),
    path(ROW, form.form, name="form-row"),
]
for _prefix, _name in ((FORM, "form"), (ROW, "form-row")):
    urlpatterns += [
        path(f"{_prefix}save/", form.save, name=f"{_name}-save"),
        path(f"{_prefix}complete/", form.complete, name=f"{_name}-complete"),
        path(f"{_prefix}not-done/", form.not_done, name=f"{_name}-not-done"),
        path(f"{_prefix}strike-out/", form.strike_out, name=f"{_name}-strike-out"),
        path(f"{_prefix}item/<str:item>/", items.item, name=f"{_name}-item"),
        path(f"{_prefix}ask/", items.ask, name=f"{_name}-ask"),
        path(f"{_prefix}verify/", items.verify, name=f"{_name}-verify"),
    ]
