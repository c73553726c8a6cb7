from django.urls import path

from members.views import ops

app_name = "ops"

urlpatterns = [path("", ops.organization_list, name="organization_list")]
