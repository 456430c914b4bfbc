"""Sign-in, second factor, devices: the doors of django-allauth we use, under our addresses, and no other of its pages."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.openid_connect import views as oidc
from allauth.usersessions import views as devices
from django.urls import path

from khue.web import account_views

urlpatterns = [
    path("dang-nhap/", account.login, name="account_login"),
    path("dang-xuat/", account.logout, name="account_logout"),
    path("ngung-dung/", account.account_inactive, name="account_inactive"),
    path("quen-mat-khau/", account_views.forgotten, name="account_reset_password"),
    path("mat-khau/", account.password_change, name="account_change_password"),
    path("mat-khau/dat/", account.password_set, name="account_set_password"),
    path("xac-nhan/", account.reauthenticate, name="account_reauthenticate"),
    path("thiet-bi/", devices.list_usersessions, name="usersessions_list"),
    path("hai-buoc/", mfa.index, name="mfa_index"),
    path("hai-buoc/dang-nhap/", mfa.authenticate, name="mfa_authenticate"),
    path("hai-buoc/xac-nhan/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("hai-buoc/ung-dung/bat/", totp.activate_totp, name="mfa_activate_totp"),
    path("hai-buoc/ung-dung/tat/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("hai-buoc/ma-du-phong/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("hai-buoc/ma-du-phong/tao/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("hai-buoc/ma-du-phong/tai/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("khoa-truy-cap/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("khoa-truy-cap/them/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("khoa-truy-cap/xac-nhan/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("khoa-truy-cap/dang-nhap/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("khoa-truy-cap/<int:pk>/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("khoa-truy-cap/<int:pk>/go/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("ngoai/", social.connections, name="socialaccount_connections"),
    path("ngoai/thoi/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("ngoai/loi/", social.login_error, name="socialaccount_login_error"),
    path("ngoai/oidc/<str:provider_id>/login/", account_views.outside(oidc.login), name="openid_connect_login"),
    path("ngoai/oidc/<str:provider_id>/login/callback/", account_views.outside(oidc.callback), name="openid_connect_callback"),
]
