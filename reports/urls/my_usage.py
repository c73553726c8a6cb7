from django.urls import path

from reports.views import my_usage

app_name = "my_usage"

urlpatterns = [
    path("", my_usage.my_usage, name="home"),
    path("<slug:slug>/", my_usage.my_calls, name="usage"),
    path("<slug:slug>/export.csv", my_usage.my_calls_export, name="export"),
]
