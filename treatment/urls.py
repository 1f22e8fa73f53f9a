"""Addresses of the treatment room."""

from django.urls import path

from treatment import views

urlpatterns = [
    path("subjects/<str:number>/treatment/", views.treatment, name="treatment"),
    path("subjects/<str:number>/treatment/randomise/", views.randomise, name="randomise"),
]
