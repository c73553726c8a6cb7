from django.urls import path

from telephony.views import ops_porting

app_name = "porting_ops"

urlpatterns = [
    path("porting/", ops_porting.order_list, name="order_list"),
    path("porting/<int:pk>/", ops_porting.order_detail, name="order_detail"),
    path("porting/<int:pk>/contact/", ops_porting.order_contact, name="order_contact"),
    path("porting/<int:pk>/approve/", ops_porting.order_approve, name="order_approve"),
    path("porting/<int:pk>/reject/", ops_porting.order_reject, name="order_reject"),
    path("porting/<int:pk>/complete/", ops_porting.order_complete, name="order_complete"),
    path("porting/<int:pk>/letter/", ops_porting.order_letter, name="order_letter"),
]
