from django.urls import path

from members.views import accounts, second_step

app_name = "accounts"

urlpatterns = [
    path("sign-in/", accounts.sign_in, name="sign_in"),
    path("second-step/", second_step.second_step, name="second_step"),
    path("passkey/", second_step.passkey_sign_in, name="passkey"),
    path("passkey/options/", second_step.passkey_options, name="passkey_options"),
    path("confirm/", second_step.confirm, name="confirm"),
    path("sign-out/", accounts.sign_out, name="sign_out"),
    path("choose/", accounts.choose, name="choose"),
    path("first-password/", accounts.first_password, name="first_password"),
    path("reset/", accounts.reset_request, name="reset_request"),
    path("reset/sent/", accounts.reset_sent, name="reset_sent"),
    path("reset/<str:uid>/<str:token>/", accounts.reset_password, name="reset_password"),
    path("verify/<str:token>/", accounts.verify_address, name="verify_address"),
    path("verify/", accounts.resend_verification, name="resend_verification"),
]
