"""Addresses of the patients room."""

from django.urls import path

from patients import views

urlpatterns = [
    path("subjects/", views.subjects, name="subjects"),
    path("subjects/new/", views.register, name="register"),
]
