"""Addresses of the endpoints room."""

from django.urls import path

from endpoints import views

urlpatterns = [
    path("subjects/<str:number>/endpoints/", views.subject_endpoints, name="subject-endpoints"),
    path("trials/<str:code>/endpoints/", views.trial_endpoints, name="trial-endpoints"),
]
