"""Addresses of the reports room, and the first page."""

from django.urls import path

from reports import export_views, home, progress_views, views

urlpatterns = [
    path("", home.home, name="home"),
    path("today/", views.today, name="today"),
    path("progress/", progress_views.progress, name="progress"),
    path("exports/", export_views.exports, name="exports"),
    path("exports/<int:export_id>/", export_views.export, name="export"),
    path("exports/<int:export_id>/status/", export_views.export_status, name="export-status"),
    path("exports/<int:export_id>/file/", export_views.export_file, name="export-file"),
]
