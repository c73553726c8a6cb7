from django.urls import path

from telephony.views import ops, ops_prices

app_name = "telephony_ops"

urlpatterns = [
    path("prices/", ops_prices.price_list, name="price_list"),
    path("prices/<slug:code>/", ops_prices.price, name="price"),
    path("stock/", ops.stock, name="stock"),
    path("stock/quotas/", ops.quota_list, name="quota_list"),
    path("stock/quotas/<slug:slug>/", ops.quota, name="quota"),
]
