from django.urls import path

from credit.views import allocation, member_credit, statements, wallet

app_name = "credit"

urlpatterns = [
    path("credit/", wallet.wallet, name="wallet"),
    path("credit/statement/", statements.wallet_statement, name="wallet_statement"),
    path("credit/statement/export.csv", statements.wallet_statement_export, name="wallet_statement_export"),
    path("members/@<str:skype_name>/credit/", member_credit.member_credit, name="member_credit"),
    path("members/@<str:skype_name>/credit/add/", allocation.member_add, name="member_add"),
    path("members/@<str:skype_name>/credit/statement/", statements.member_statement, name="member_statement"),
    path(
        "members/@<str:skype_name>/credit/statement/export.csv",
        statements.member_statement_export,
        name="member_statement_export",
    ),
]
