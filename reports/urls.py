"""Addresses of the reports room, and the first page."""

from django.urls import path

from reports import home, views

urlpatterns = [
    path("", home.home, name="home"),
    path("today/", views.today, name="today"),
]
