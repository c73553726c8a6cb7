from django.urls import path

from telephony.views import ops, ops_prices, ops_rates

app_name = "telephony_ops"

urlpatterns = [
    path("prices/", ops_prices.price_list, name="price_list"),
    path("prices/<slug:code>/", ops_prices.price, name="price"),
    path("rates/", ops_rates.rate_deck_list, name="rate_deck_list"),
    path("rates/files/<int:pk>/", ops_rates.rate_upload, name="rate_upload"),
    path("rates/files/<int:pk>/drop/", ops_rates.rate_upload_drop, name="rate_upload_drop"),
    path("rates/<int:pk>/", ops_rates.rate_deck, name="rate_deck"),
    path("rates/versions/<int:pk>/", ops_rates.rate_comparison, name="rate_comparison"),
    path("stock/", ops.stock, name="stock"),
    path("stock/quotas/", ops.quota_list, name="quota_list"),
    path("stock/quotas/<slug:slug>/", ops.quota, name="quota"),
]
