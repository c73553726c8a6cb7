"""What the pages of this app put where pages meet: the sidebar, the member page, the bar below ticked rows."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.access import Capability
from members.models import User
from members.registry import ApiScope, BulkAction, MemberTab, NavigationEntry, OperatorPage, VisibleFact, registry


def register() -> None:
    """Called once at start-up."""
    registry.add(
        OperatorPage(key="organizations", label=_("Organizations"), url_name="ops:organization_list", order=10),
        OperatorPage(key="help_feedback", label=_("Feedback on help"), url_name="ops:feedback_list", order=90),
        NavigationEntry(
            key="members",
            label=_("Members"),
            icon="members",
            url_name="members:member_list",
            capability=Capability.VIEW_MEMBERS,
            order=20,
            children=[
                ("list", _("All members"), "members:member_list", Capability.VIEW_MEMBERS),
                ("add", _("Add members"), "members:import_add", Capability.MANAGE_MEMBERS),
                ("invitations", _("Invitations"), "members:invitation_list", Capability.MANAGE_MEMBERS),
                ("departments", _("Departments"), "members:department_list", Capability.VIEW_MEMBERS),
                ("roles", _("Roles"), "members:role_table", Capability.VIEW_MEMBERS),
                ("imports", _("Imports"), "members:import_list", Capability.MANAGE_MEMBERS),
                ("runs", _("Changes of many"), "members:run_list", Capability.VIEW_MEMBERS),
            ],
        ),
        NavigationEntry(
            key="audit",
            label=_("Audit log"),
            icon="audit",
            url_name="members:audit_list",
            capability=Capability.VIEW_AUDIT,
            order=910,
        ),
        NavigationEntry(
            key="settings",
            label=_("Settings"),
            icon="settings",
            url_name="members:organization_settings",
            capability=Capability.MANAGE_ORGANIZATION,
            order=920,
        ),
        MemberTab(
            key="profile",
            label=_("Profile"),
            url_name="members:member_profile",
            capability=Capability.VIEW_MEMBERS,
            order=10,
        ),
        MemberTab(
            key="history",
            label=pgettext_lazy("of a member", "History"),
            url_name="members:member_history",
            capability=Capability.VIEW_AUDIT,
            order=90,
        ),
        VisibleFact(
            key="names",
            text=_("Your name, your Skype Name, your job title and your department."),
            capability=Capability.VIEW_MEMBERS,
            colleagues=True,
            order=10,
        ),
        VisibleFact(
            key="address",
            text=_("Your address there, your role, and when you joined."),
            capability=Capability.VIEW_MEMBERS,
            order=20,
        ),
        VisibleFact(
            key="call_detail",
            text=_("Whom you call, when and for how long."),
            capability=Capability.VIEW_REPORTS,
            order=50,
            kind=User.Kind.BUSINESS,
        ),
        VisibleFact(
            key="call_detail_agreed",
            text=_("Whom you call, when and for how long."),
            capability=Capability.MANAGE_ORGANIZATION,
            consent=True,
            consent_note=_("Only if you agree; you can take that back at any time."),
            order=50,
            kind=User.Kind.PERSONAL,
        ),
        VisibleFact(
            key="letters",
            text=_("Which letters it sent you, and whether they arrived."),
            capability=Capability.MANAGE_MEMBERS,
            order=60,
        ),
        VisibleFact(
            key="log",
            text=_("What you change there, when, and from which IP address."),
            capability=Capability.VIEW_AUDIT,
            order=70,
        ),
        VisibleFact(
            key="content",
            text=_("What you say or write."),
            capability=None,
            order=90,
        ),
        VisibleFact(
            key="password",
            text=_("Your password, and the browsers in which you are signed in."),
            capability=None,
            order=100,
        ),
        VisibleFact(
            key="elsewhere",
            text=_("Your other organizations."),
            capability=None,
            kind=User.Kind.PERSONAL,
            order=110,
        ),
        ApiScope(key="members:read", label=_("Read members"), capability=Capability.VIEW_MEMBERS, order=10),
        BulkAction(
            key="move",
            label=_("Move to department"),
            url_name="members:members_move",
            capability=Capability.MANAGE_MEMBERS,
            order=60,
        ),
        BulkAction(
            key="resend",
            label=_("Send invitations again"),
            url_name="members:members_resend",
            capability=Capability.MANAGE_MEMBERS,
            order=70,
        ),
        BulkAction(
            key="export",
            label=_("Export"),
            url_name="members:members_export",
            capability=Capability.VIEW_MEMBERS,
            order=75,
        ),
        BulkAction(
            key="block",
            label=_("Block sign-in"),
            url_name="members:members_block",
            capability=Capability.MANAGE_MEMBERS,
            order=80,
        ),
    )
