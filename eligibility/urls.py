"""Addresses of the eligibility room."""

from django.urls import path

from eligibility import views

SUBJECT = "subjects/<str:number>/eligibility/"

urlpatterns = [
    path(SUBJECT, views.eligibility, name="eligibility"),
    path(f"{SUBJECT}sign/", views.sign, name="eligibility-sign"),
    path(f"{SUBJECT}trials/", views.trials, name="eligibility-trials"),
]
