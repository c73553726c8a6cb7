from django.urls import path

from telephony.views import feature_settings

app_name = "my_features"

urlpatterns = [
    path("<slug:slug>/", feature_settings.my_features, name="settings"),
    path("<slug:slug>/<str:kind>/", feature_settings.my_setting, name="setting"),
]
