from django.urls import path

from members.views import join

app_name = "join"

urlpatterns = [
    path("<str:token>/", join.invitation, name="invitation"),
    path("<str:token>/accept/", join.accept, name="accept"),
    path("<str:token>/decline/", join.decline, name="decline"),
    path("<str:token>/tell/", join.tell_inviter, name="tell_inviter"),
]
