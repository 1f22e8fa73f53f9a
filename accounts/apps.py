"""Wiring of the room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, roles and signatures; listens to what happens at the door."""

    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        # These read models, which exist only now.
        from accounts import receivers  # noqa: PLC0415
        from accounts.selectors import forged_signatures, signature_texts  # noqa: PLC0415
        from audit.installation import append_only  # noqa: PLC0415
        from audit.registry import Section, register_check, register_section  # noqa: PLC0415

        receivers.connect()
        append_only("accounts_signature")
        append_only("accounts_accessevent")
        register_check("signatures", forged_signatures)
        register_section(Section("signatures", "accounts_signature", "seal", signature_texts))
