"""The casebook room: forms entered, checks, queries, verification, facts."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.urls import reverse

from foundation.panels import register


class CasebookConfig(AppConfig):
    name = "casebook"
    verbose_name = "Casebook"

    def ready(self) -> None:
        # These read settings and models, which exist only now.
        from audit.installation import append_only  # noqa: PLC0415
        from audit.registry import register_check  # noqa: PLC0415
        from casebook import gates  # noqa: PLC0415
        from casebook.closing import unfitting_places  # noqa: PLC0415
        from casebook.records import unfitting_records  # noqa: PLC0415
        from casebook.registry import register_opening_guard  # noqa: PLC0415
        from casebook.services.states import objection_of_a_lock  # noqa: PLC0415

        import_module("casebook.receivers")
        import_module("casebook.trail").register()
        for table in ("formcontent", "signedrecord", "signingbatch", "review"):
            append_only(f"casebook_{table}")
        register_check("signed forms", unfitting_records)
        register_check("locked sites and studies", unfitting_places)
        register_opening_guard(objection_of_a_lock)
        gates.register()
        post_migrate.connect(gates.install, sender=self, dispatch_uid="casebook.gates")
        register(
            "subject",
            order=70,
            title="Signatures",
            url=lambda subject: reverse("subject-signatures", args=[subject.number]),
            permission="entry.view",
        )
