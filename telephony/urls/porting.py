from django.urls import path

from telephony.views import porting

app_name = "porting"

urlpatterns = [
    path("voice/porting/", porting.order_list, name="order_list"),
    path("voice/porting/add/", porting.order_add, name="order_add"),
    path("voice/porting/<int:pk>/", porting.order_detail, name="order_detail"),
    path("voice/porting/<int:pk>/change/", porting.order_change, name="order_change"),
    path("voice/porting/<int:pk>/cancel/", porting.order_cancel, name="order_cancel"),
    path("voice/porting/<int:pk>/move/", porting.order_move, name="order_move"),
    path("voice/porting/<int:pk>/letter/", porting.order_letter, name="order_letter"),
    path("voice/porting/<int:pk>/numbers.csv", porting.order_numbers, name="order_numbers"),
]
