from django.urls import path

from telephony.views import ops_disclaimers

app_name = "emergency_ops"

urlpatterns = [
    path("disclaimers/", ops_disclaimers.disclaimer_list, name="disclaimer_list"),
    path("disclaimers/<str:country>/", ops_disclaimers.disclaimer_detail, name="disclaimer_detail"),
    path("disclaimers/<str:country>/publish/", ops_disclaimers.disclaimer_publish, name="disclaimer_publish"),
    path("disclaimers/<str:country>/rule/", ops_disclaimers.rule_change, name="rule_change"),
]
