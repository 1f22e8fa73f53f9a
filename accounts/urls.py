"""Addresses of the room. django-allauth's views keep the names that it looks for."""

from allauth.account import views as allauth
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from django.urls import path

from accounts import delegation_views, editing_views, views
from accounts.decorators import permission, public, signed_in
from accounts.door import as_visitor
from audit import views as audit

urlpatterns = [
    path("sign-in/", public(as_visitor(views.sign_in)), name="account_login"),
    path("sign-in/second-factor/", public(as_visitor(views.second_factor)), name="mfa_authenticate"),
    path("sign-in/closed/", public(views.sign_in_closed), name="account_inactive"),
    path("sign-out/", public(as_visitor(views.sign_out)), name="account_logout"),
    path("account/", signed_in(views.account), name="account"),
    path("account/sessions/end/", signed_in(views.end_sessions), name="end-sessions"),
    path("account/tokens/", signed_in(views.tokens), name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", signed_in(views.revoke), name="revoke-token"),
    path(
        "account/password/",
        signed_in(
            as_visitor(
                allauth.PasswordChangeView.as_view(
                    template_name="accounts/password.html", success_url="/account/"
                )
            )
        ),
        name="account_change_password",
    ),
    path("account/accountability/", signed_in(delegation_views.accountability), name="accountability"),
    path("delegations/", permission("delegation.view")(delegation_views.delegations), name="delegations"),
    path("delegations/add/", permission("delegation.keep")(delegation_views.delegate), name="add-delegation"),
    path(
        "delegations/<int:line>/end/",
        permission("delegation.keep")(delegation_views.end_delegation),
        name="end-delegation",
    ),
    path(
        "account/confirm/",
        signed_in(as_visitor(allauth.ReauthenticateView.as_view(template_name="accounts/confirm.html"))),
        name="account_reauthenticate",
    ),
    path(
        "account/confirm/second-factor/",
        signed_in(as_visitor(factors.ReauthenticateView.as_view(template_name="accounts/confirm.html"))),
        name="mfa_reauthenticate",
    ),
    path(
        "account/second-factor/",
        signed_in(as_visitor(factors.IndexView.as_view(template_name="accounts/second_factor.html"))),
        name="mfa_index",
    ),
    path(
        "account/second-factor/add/",
        signed_in(as_visitor(totp.ActivateTOTPView.as_view(template_name="accounts/second_factor_add.html"))),
        name="mfa_activate_totp",
    ),
    path(
        "account/second-factor/remove/",
        signed_in(
            as_visitor(totp.DeactivateTOTPView.as_view(template_name="accounts/second_factor_remove.html"))
        ),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/recovery-codes/",
        signed_in(
            as_visitor(recovery.ViewRecoveryCodesView.as_view(template_name="accounts/recovery_codes.html"))
        ),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/recovery-codes/new/",
        signed_in(
            as_visitor(
                recovery.GenerateRecoveryCodesView.as_view(template_name="accounts/recovery_codes_new.html")
            )
        ),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/recovery-codes/download/",
        signed_in(as_visitor(recovery.DownloadRecoveryCodesView.as_view())),
        name="mfa_download_recovery_codes",
    ),
    path("editing/", permission("edit.stop")(editing_views.editing), name="editing"),
    path(
        "editing/<int:stop>/give-back/",
        permission("edit.stop")(editing_views.give_back),
        name="give-edit-access-back",
    ),
    path("people/", permission("user.admin")(views.people), name="people"),
    path("people/add/", permission("user.admin")(views.add_person), name="add-person"),
    path("people/<str:username>/", permission("user.admin")(views.person), name="person"),
    path(
        "people/<str:username>/identity/",
        permission("user.admin")(delegation_views.verify_identity),
        name="verify-identity",
    ),
    path(
        "people/<str:username>/signing/",
        permission("user.admin")(delegation_views.name_principal),
        name="name-principal",
    ),
    path(
        "people/<str:username>/signing/<int:line>/end/",
        permission("user.admin")(delegation_views.end_principal),
        name="end-principal",
    ),
    path("people/<str:username>/grants/", permission("user.admin")(views.add_grant), name="add-grant"),
    path(
        "people/<str:username>/grants/<int:grant_id>/end/",
        permission("user.admin")(views.finish_grant),
        name="end-grant",
    ),
    path(
        "people/<str:username>/password/", permission("user.admin")(views.new_password), name="new-password"
    ),
    path(
        "people/<str:username>/deactivate/",
        permission("user.admin")(views.close_account),
        name="deactivate-person",
    ),
    path(
        "people/<str:username>/reactivate/",
        permission("user.admin")(views.reopen_account),
        name="reactivate-person",
    ),
    path("audit/", permission("audit.view")(audit.trail), name="audit"),
    path("audit/file/", permission("audit.view")(audit.trail_file), name="audit-file"),
    path("audit/review/", permission("audit.view")(audit.review), name="audit-review"),
    path("audit/reviews/", permission("audit.view")(audit.reviews), name="audit-reviews"),
    path("audit/seals/", signed_in(audit.standing), name="trail-standing"),
    path("audit/bundle/", permission("trail.export")(audit.take_bundle), name="trail-bundle"),
]
