from django.urls import path

from telephony.views import (
    assignment_files,
    feature_settings,
    features,
    member_features,
    numbers,
    numbers_add,
    products,
    readiness,
    seats_for_many,
    voice,
)

app_name = "telephony"

urlpatterns = [
    path("features/", features.features, name="features"),
    path("features/buy/", features.buy, name="buy_licenses"),
    path("features/<slug:code>/", products.product_page, name="product"),
    path("features/<slug:code>/people.csv", products.product_export, name="product_export"),
    path("features/licenses/<int:pk>/", features.license_page, name="license"),
    path("features/licenses/<int:pk>/renewal/", features.license_renewal, name="license_renewal"),
    path("members/licenses/assign/", seats_for_many.members_assign, name="members_assign"),
    path("members/licenses/unassign/", seats_for_many.members_unassign, name="members_unassign"),
    path("members/@<str:skype_name>/features/", member_features.member_features, name="member_features"),
    path("members/@<str:skype_name>/features/assign/", member_features.member_assign, name="member_assign"),
    path(
        "members/@<str:skype_name>/features/unassign/",
        member_features.member_unassign,
        name="member_unassign",
    ),
    path("voice/readiness/", readiness.readiness, name="readiness"),
    path("voice/readiness/export.csv", readiness.readiness_export, name="readiness_export"),
    path("members/@<str:skype_name>/features/settings/", feature_settings.member_setting, name="member_setting"),
    path("voice/", voice.overview, name="voice"),
    path("voice/numbers/", numbers.number_list, name="number_list"),
    path("voice/numbers/export.csv", numbers.number_export, name="number_export"),
    path("voice/numbers/add/", numbers_add.numbers_add, name="numbers_add"),
    path("voice/numbers/acquire/", numbers_add.numbers_acquire, name="numbers_acquire"),
    path("voice/numbers/release/", numbers.numbers_release, name="numbers_release"),
    path("voice/users/file/", assignment_files.assign_file, name="assign_file"),
    path("voice/users/file/save/", assignment_files.assign_file_save, name="assign_file_save"),
    path("voice/users/file/template.csv", assignment_files.assign_template, name="assign_template"),
    path("voice/users/file/corrections/", assignment_files.assign_corrections, name="assign_corrections"),
    path("voice/reservations/<int:pk>/cancel/", numbers_add.reservation_cancel, name="reservation_cancel"),
    path("voice/numbers/<str:digits>/", numbers.number_detail, name="number_detail"),
    path("voice/numbers/<str:digits>/untag/", numbers.number_untag, name="number_untag"),
]
