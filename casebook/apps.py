"""The casebook room: forms entered, checks, queries, verification, facts."""

from django.apps import AppConfig


class CasebookConfig(AppConfig):
    name = "casebook"
    verbose_name = "Casebook"
