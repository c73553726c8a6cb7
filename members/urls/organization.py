from django.urls import path

from members.views import audit, departments, imports, invitations, member, members, organization

app_name = "members"

urlpatterns = [
    path("members/", members.member_list, name="member_list"),
    path("members/export.csv", members.member_export, name="member_export"),
    path("members/move/", members.members_move, name="members_move"),
    path("members/resend/", members.members_resend, name="members_resend"),
    path("members/block/", members.members_block, name="members_block"),
    path("members/add/", imports.import_add, name="import_add"),
    path("members/add/business/", imports.import_add, name="import_add_business"),
    path("members/add/personal/", invitations.invite_personal, name="invite_personal"),
    path("members/invitations/", invitations.invitation_list, name="invitation_list"),
    path("members/invitations/<int:pk>/resend/", invitations.invitation_resend, name="invitation_resend"),
    path("members/invitations/<int:pk>/cancel/", invitations.invitation_cancel, name="invitation_cancel"),
    path("members/departments/", departments.department_list, name="department_list"),
    path("members/departments/add/", departments.department_add, name="department_add"),
    path("members/departments/<int:pk>/", departments.department_change, name="department_change"),
    path("members/departments/<int:pk>/delete/", departments.department_delete, name="department_delete"),
    path("members/imports/", imports.import_list, name="import_list"),
    path("members/imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("members/imports/<int:pk>/progress/", imports.import_progress, name="import_progress"),
    path("members/imports/<int:pk>/create/", imports.import_create, name="import_create"),
    path("members/imports/<int:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("members/imports/<int:pk>/retry/", imports.import_retry, name="import_retry"),
    path("members/imports/<int:pk>/outcome.csv", imports.import_outcome, name="import_outcome"),
    path("members/imports/<int:pk>/rows/<int:number>/", imports.import_row, name="import_row"),
    path(
        "members/imports/<int:pk>/rows/<int:number>/leave-out/",
        imports.import_row_leave_out,
        name="import_leave_out",
    ),
    path("members/imports/<int:pk>/rows/<int:number>/take-in/", imports.import_row_take_in, name="import_take_in"),
    path("members/@<str:skype_name>/", member.profile, name="member_profile"),
    path("members/@<str:skype_name>/history/", member.history, name="member_history"),
    path("members/@<str:skype_name>/role/", member.role, name="member_role"),
    path("members/@<str:skype_name>/address/", member.address, name="member_address"),
    path("members/@<str:skype_name>/block/", member.block, name="member_block"),
    path("members/@<str:skype_name>/unblock/", member.unblock, name="member_unblock"),
    path("members/@<str:skype_name>/erase/", member.erase, name="member_erase"),
    path("audit/", audit.entry_list, name="audit_list"),
    path("audit/export.csv", audit.entry_export, name="audit_export"),
    path("settings/", organization.settings, name="organization_settings"),
]
