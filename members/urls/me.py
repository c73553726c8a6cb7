from django.urls import path

from members.views import me

app_name = "me"

urlpatterns = [
    path("", me.home, name="home"),
    path("settings/", me.settings, name="settings"),
    path("settings/address/", me.change_address, name="change_address"),
    path("settings/password/", me.change_password, name="change_password"),
    path("leave/<slug:slug>/", me.leave, name="leave"),
]
