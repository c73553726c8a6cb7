from django.urls import path

from credit.views import allocation, member_credit, wallet

app_name = "credit"

urlpatterns = [
    path("credit/", wallet.wallet, name="wallet"),
    path("members/@<str:skype_name>/credit/", member_credit.member_credit, name="member_credit"),
    path("members/@<str:skype_name>/credit/add/", allocation.member_add, name="member_add"),
]
