from django.urls import path

from credit.views import ops

app_name = "credit_ops"

urlpatterns = [
    path("orders/", ops.order_list, name="order_list"),
    path("orders/<str:number>/", ops.order_detail, name="order_detail"),
    path("orders/<str:number>/confirm/", ops.order_confirm, name="order_confirm"),
    path("orders/<str:number>/refund/", ops.order_refund, name="order_refund"),
    path("vat-ids/", ops.vat_id_list, name="vat_id_list"),
    path("vat-ids/<slug:slug>/", ops.vat_id, name="vat_id"),
    path("seller/", ops.seller, name="seller"),
]
