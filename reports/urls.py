from django.urls import path

from reports.views import dashboard, usage

app_name = "reports"

urlpatterns = [
    path("", dashboard.overview, name="dashboard"),
    path("reports/usage/", usage.usage, name="usage"),
    path("reports/usage/export/", usage.usage_export, name="usage_export"),
]
