"""Addresses of the reports room, and the first page."""

from django.urls import path

from reports import casebook_views, delivery_views, export_views, home, progress_views, views
from reports.impact import views as impact_views

urlpatterns = [
    path("", home.home, name="home"),
    path("today/", views.today, name="today"),
    path("progress/", progress_views.progress, name="progress"),
    path("subjects/<str:number>/casebook.pdf", casebook_views.casebook_pdf, name="casebook-pdf"),
    path("subjects/<str:number>/copies/<int:copy_id>/", casebook_views.casebook_copy, name="casebook-copy"),
    path(
        "subjects/<str:number>/copies/<int:copy_id>/status/",
        casebook_views.casebook_copy_status,
        name="casebook-copy-status",
    ),
    path(
        "subjects/<str:number>/copies/<int:copy_id>/file/",
        casebook_views.casebook_copy_file,
        name="casebook-copy-file",
    ),
    path("exports/", export_views.exports, name="exports"),
    path("exports/lock/<int:lock>/", export_views.lock_snapshot, name="lock-snapshot"),
    path("exports/images/", delivery_views.deliver, name="deliver"),
    path("exports/<int:export_id>/", export_views.export, name="export"),
    path("exports/<int:export_id>/readers/", delivery_views.readers, name="export-readers"),
    path("exports/<int:export_id>/status/", export_views.export_status, name="export-status"),
    path("exports/<int:export_id>/file/", export_views.export_file, name="export-file"),
    path("impact/runs/<int:simulation_id>/status/", impact_views.impact_status, name="impact-status"),
    path("impact/<str:code>/<str:label>/", impact_views.impact, name="impact"),
    path(
        "trials/<str:code>/versions/<str:label>/subjects/", impact_views.move_subjects, name="move-subjects"
    ),
    path("subjects/<str:number>/version/", impact_views.subject_version, name="subject-version"),
]
