"""The casebook room: forms entered, checks, queries, verification, facts."""

from importlib import import_module

from django.apps import AppConfig


class CasebookConfig(AppConfig):
    name = "casebook"
    verbose_name = "Casebook"

    def ready(self) -> None:
        from audit.installation import append_only  # noqa: PLC0415  settings are complete only now

        import_module("casebook.receivers")
        import_module("casebook.trail").register()
        for table in ("formcontent", "signedrecord", "signingbatch", "review"):
            append_only(f"casebook_{table}")
