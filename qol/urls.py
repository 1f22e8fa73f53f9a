"""Addresses of the quality-of-life room. Those under `q/` are the patient's."""

from django.urls import path

from qol.views import patient, staff

PAGE = "subjects/<str:number>/quality-of-life/"

urlpatterns = [
    path(PAGE, staff.quality_of_life, name="quality-of-life"),
    path(f"{PAGE}<str:visit>/invite/", staff.invite, name="questionnaire-invite"),
    path(f"{PAGE}<str:visit>/revoke/", staff.revoke, name="questionnaire-revoke"),
    path("q/<str:token>/", patient.start, name="questionnaire"),
    path("q/<str:token>/review/", patient.review, name="questionnaire-review"),
    path("q/<str:token>/<int:number>/", patient.question, name="questionnaire-question"),
]
