from django.urls import path

from credit.views import (
    alerts,
    allocation,
    allocation_to_many,
    amounts,
    billing,
    cards,
    idle_credit,
    member_credit,
    member_recharge,
    members_recharge,
    purchases,
    statements,
    wallet,
)

app_name = "credit"

urlpatterns = [
    path("credit/", wallet.wallet, name="wallet"),
    path("credit/alerts/", alerts.alerts, name="alerts"),
    path("credit/statement/", statements.wallet_statement, name="wallet_statement"),
    path("credit/statement/export.csv", statements.wallet_statement_export, name="wallet_statement_export"),
    path("credit/buy/", purchases.buy, name="buy"),
    path("credit/buy/card/", cards.buy_by_card, name="buy_by_card"),
    path("credit/card/", cards.card, name="card"),
    path("credit/card/off/", cards.wallet_recharge_stop, name="wallet_recharge_stop"),
    path("credit/card/remove/", cards.card_remove, name="card_remove"),
    path("credit/card/save/", cards.card_save, name="card_save"),
    path("credit/card/save/<int:pk>/", cards.card_leave, name="card_leave"),
    path("credit/orders/<str:number>/card/", cards.order_card, name="order_card"),
    path("credit/billing/", billing.billing, name="billing"),
    path("credit/purchases/", purchases.purchase_list, name="purchase_list"),
    path("credit/purchases/export.csv", purchases.purchase_export, name="purchase_export"),
    path("credit/orders/<str:number>/", purchases.order, name="order"),
    path("credit/orders/<str:number>/cancel/", purchases.order_cancel, name="order_cancel"),
    path("credit/invoices/<str:number>/", billing.invoice, name="invoice"),
    path("credit/invoices/<str:number>/pdf/", billing.invoice_pdf, name="invoice_pdf"),
    path("members/@<str:skype_name>/credit/", member_credit.member_credit, name="member_credit"),
    path("members/@<str:skype_name>/credit/add/", allocation.member_add, name="member_add"),
    path("members/@<str:skype_name>/credit/reactivate/", idle_credit.member_reactivate, name="member_reactivate"),
    path("members/@<str:skype_name>/credit/statement/", statements.member_statement, name="member_statement"),
    path(
        "members/@<str:skype_name>/credit/statement/export.csv",
        statements.member_statement_export,
        name="member_statement_export",
    ),
    path("credit/auto-recharge/", members_recharge.members_recharge, name="members_recharge"),
    path("credit/auto-recharge/off/", members_recharge.members_recharge_off, name="members_recharge_off"),
    path("members/@<str:skype_name>/auto-recharge/", member_recharge.member_recharge, name="member_recharge"),
    path(
        "members/@<str:skype_name>/auto-recharge/off/", member_recharge.member_recharge_off, name="member_recharge_off"
    ),
    path("credit/allocate/", allocation_to_many.allocate, name="allocate"),
    path("credit/allocate/file/", amounts.amounts_add, name="amounts_add"),
    path("credit/allocate/<int:pk>/", amounts.amounts_review, name="amounts_review"),
    path("credit/allocate/<int:pk>/encoding/", amounts.amounts_encoding, name="amounts_encoding"),
    path("credit/allocate/<int:pk>/allocate/", amounts.amounts_allocate, name="amounts_allocate"),
    path("credit/allocate/<int:pk>/discard/", amounts.amounts_discard, name="amounts_discard"),
    path("members/credit/", allocation_to_many.members_allocate, name="members_allocate"),
]
