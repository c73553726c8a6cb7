from django.urls import path

from telephony.views import api

app_name = "calls_api"

urlpatterns = [
    path("", api.import_feed, name="import"),
]
