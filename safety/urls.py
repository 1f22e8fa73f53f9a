"""Addresses of the safety room."""

from django.urls import path

from safety import views

urlpatterns = [path("subjects/<str:number>/safety/", views.safety, name="safety")]
