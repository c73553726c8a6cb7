from django.urls import include, path

from skypemgr.views import errors, health, metrics, preferences, security_txt, styleguide

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path(".well-known/security.txt", security_txt.security_txt, name="security_txt"),
    path("", include("members.urls.front")),
    path("accounts/", include("members.urls.accounts")),
    path("help/", include("members.urls.help")),
    path("join/", include("members.urls.join")),
    path("me/", include("members.urls.me")),
    path("me/credit/", include("credit.urls.me")),
    path("me/features/", include("telephony.urls.my_features")),
    path("me/phone/", include("telephony.urls.my_phone")),
    path("me/usage/", include("reports.urls.my_usage")),
    path("api/v1/calls/", include("telephony.urls.api")),
    path("api/v1/", include("members.urls.api")),
    path("ops/", include("members.urls.ops")),
    path("ops/", include("credit.urls.ops")),
    path("ops/", include("telephony.urls.ops")),
    path("ops/", include("telephony.urls.emergency_ops")),
    path("ops/", include("telephony.urls.porting_ops")),
    path("payments/", include("credit.urls.payments")),
    path("theme/", preferences.set_theme, name="set_theme"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    path("<slug:org_slug>/", include("reports.urls")),
    path("<slug:org_slug>/", include("credit.urls.organization")),
    path("<slug:org_slug>/", include("telephony.urls.organization")),
    path("<slug:org_slug>/", include("telephony.urls.emergency")),
    path("<slug:org_slug>/", include("telephony.urls.porting")),
    path("<slug:org_slug>/", include("members.urls.organization")),
]
