from django.urls import path

from telephony.views import my_phone

app_name = "my_phone"

urlpatterns = [
    path("", my_phone.my_phone, name="phone"),
    path("<slug:slug>/acknowledge/", my_phone.my_phone_acknowledge, name="acknowledge"),
]
