from django.urls import path

from members.views import api

app_name = "api"

urlpatterns = [
    path("token/", api.token, name="token"),
    path("members/", api.member_list, name="member_list"),
]
