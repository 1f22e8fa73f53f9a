"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from trials import views

app_name = "trials"
urlpatterns = [
    path("trials/", views.trial_list, name="list"),
    path("trials/<str:code>/", views.protocol, name="protocol"),
]
