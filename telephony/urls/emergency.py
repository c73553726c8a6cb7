from django.urls import path

from telephony.views import address_files, disclaimers, emergency_addresses, emergency_form

app_name = "emergency"

urlpatterns = [
    path("voice/emergency-addresses/", emergency_addresses.address_list, name="address_list"),
    path("voice/emergency-addresses/export.csv", emergency_addresses.address_export, name="address_export"),
    path("voice/emergency-addresses/add/", emergency_form.address_add, name="address_add"),
    path("voice/emergency-addresses/add/save/", emergency_form.address_save, name="address_save"),
    path("voice/emergency-addresses/file/", address_files.file_review, name="file_review"),
    path("voice/emergency-addresses/file/save/", address_files.file_save, name="file_save"),
    path("voice/emergency-addresses/<int:pk>/", emergency_addresses.address_detail, name="address_detail"),
    path("voice/emergency-addresses/<int:pk>/change/", emergency_form.address_change, name="address_change"),
    path(
        "voice/emergency-addresses/<int:pk>/change/save/",
        emergency_form.address_change_save,
        name="address_change_save",
    ),
    path("voice/emergency-addresses/<int:pk>/retire/", emergency_addresses.address_retire, name="address_retire"),
    path("voice/emergency-addresses/<int:pk>/places/add/", emergency_addresses.place_add, name="place_add"),
    path(
        "voice/emergency-addresses/<int:pk>/places/<int:place_pk>/",
        emergency_addresses.place_change,
        name="place_change",
    ),
    path(
        "voice/emergency-addresses/<int:pk>/places/<int:place_pk>/remove/",
        emergency_addresses.place_remove,
        name="place_remove",
    ),
    path("voice/disclaimers/", disclaimers.disclaimer_list, name="disclaimer_list"),
    path("voice/disclaimers/<str:country>/", disclaimers.disclaimer_detail, name="disclaimer_detail"),
    path("voice/disclaimers/<str:country>/accept/", disclaimers.disclaimer_accept, name="disclaimer_accept"),
]
