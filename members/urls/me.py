from django.urls import path

from members.views import me, security

app_name = "me"

urlpatterns = [
    path("", me.home, name="home"),
    path("settings/", me.settings, name="settings"),
    path("settings/address/", me.change_address, name="change_address"),
    path("settings/data/", me.personal_data, name="personal_data"),
    path("settings/password/", security.change_password, name="change_password"),
    path("security/", security.security, name="security"),
    path("security/app/", security.add_app, name="app_add"),
    path("security/app/remove/", security.remove_app, name="app_remove"),
    path("security/passkeys/add/", security.add_passkey, name="passkey_add"),
    path("security/passkeys/options/", security.passkey_options, name="passkey_options"),
    path("security/passkeys/<int:pk>/", security.rename_passkey, name="passkey_rename"),
    path("security/passkeys/<int:pk>/remove/", security.remove_passkey, name="passkey_remove"),
    path("security/recovery-codes/", security.recovery_codes, name="recovery_codes"),
    path("security/recovery-codes/file/", security.recovery_codes_file, name="recovery_codes_file"),
    path("security/sessions/<int:pk>/end/", security.end_one_session, name="session_end"),
    path("security/sessions/end-others/", security.end_others, name="sessions_end_others"),
    path("call-detail/<slug:slug>/", me.call_detail, name="call_detail"),
    path("seen/<slug:slug>/", me.seen, name="seen"),
    path("colleagues/<slug:slug>/", me.colleagues, name="colleagues"),
    path("leave/<slug:slug>/", me.leave, name="leave"),
]
