from django.urls import path

from telephony.views import ops

app_name = "telephony_ops"

urlpatterns = [
    path("stock/", ops.stock, name="stock"),
    path("stock/quotas/", ops.quota_list, name="quota_list"),
    path("stock/quotas/<slug:slug>/", ops.quota, name="quota"),
]
