from django.urls import path

from members.views import front, outbox, setup

urlpatterns = [
    path("", front.home, name="home"),
    path("language/", front.set_language, name="set_language"),
    path("setup/", setup.start, name="setup"),
    path("setup/account/", setup.account, name="setup_account"),
    path("setup/check/", setup.check, name="setup_check"),
    path("outbox/", outbox.letter_list, name="outbox"),
    path("outbox/<str:name>/", outbox.letter, name="outbox_letter"),
    path("outbox/<str:name>/source/", outbox.letter_source, name="outbox_letter_source"),
]
