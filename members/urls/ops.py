from django.urls import path

from members.views import ops, ops_help

app_name = "ops"

urlpatterns = [
    path("", ops.organization_list, name="organization_list"),
    path("help-feedback/", ops_help.feedback_list, name="feedback_list"),
    path("help-feedback/export.csv", ops_help.feedback_export, name="feedback_export"),
]
