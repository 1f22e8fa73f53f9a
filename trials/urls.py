"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from trials import amendment_views, views
from trials.laboratories import views as laboratories

app_name = "trials"
urlpatterns = [
    path("trials/", views.trial_list, name="list"),
    path("trials/<str:code>/", views.protocol, name="protocol"),
    path("trials/<str:code>/versions/", amendment_views.versions, name="versions"),
    path("trials/<str:code>/versions/approve/", amendment_views.approve, name="approve"),
    path(
        "trials/<str:code>/approvals/<int:approval_id>/withdraw/",
        amendment_views.withdraw,
        name="withdraw-approval",
    ),
    path("laboratories/", laboratories.laboratories, name="laboratories"),
    path("laboratories/<str:code>/", laboratories.laboratory, name="laboratory"),
    path("laboratories/<str:code>/export/", laboratories.export_ranges, name="ranges-export"),
    path("laboratories/<str:code>/import/", laboratories.import_ranges, name="ranges-import"),
    path("laboratories/<str:code>/<int:range_id>/", laboratories.reference_range, name="range"),
]
