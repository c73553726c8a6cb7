"""What the pages of this app put where pages meet: the sidebar, the member page, the tabs of operators."""

from django.utils.translation import gettext_lazy as _

from members.access import Capability
from members.registry import MemberTab, NavigationEntry, OperatorPage, registry
from telephony.selectors.licenses import voice_is_open


def register() -> None:
    """Called once at start-up."""
    registry.add(
        NavigationEntry(
            key="features",
            label=_("Features"),
            icon="licenses",
            url_name="telephony:features",
            capability=Capability.MANAGE_VOICE,
            order=35,
            children=[
                ("features", _("Features"), "telephony:features", Capability.MANAGE_VOICE),
                ("buy", _("Buy licenses"), "telephony:buy_licenses", Capability.MANAGE_VOICE),
            ],
        ),
        MemberTab(
            key="features",
            label=_("Features"),
            url_name="telephony:member_features",
            capability=Capability.MANAGE_VOICE,
            order=30,
        ),
        NavigationEntry(
            key="voice",
            label=_("Voice"),
            icon="voice",
            url_name="telephony:voice",
            capability=Capability.MANAGE_VOICE,
            order=40,
            visible=voice_is_open,
            children=[
                ("overview", _("Steps"), "telephony:voice", Capability.MANAGE_VOICE),
                ("numbers", _("Phone numbers"), "telephony:number_list", Capability.MANAGE_VOICE),
                (
                    "emergency_addresses",
                    _("Emergency addresses"),
                    "emergency:address_list",
                    Capability.MANAGE_VOICE,
                ),
                ("porting", _("Porting"), "porting:order_list", Capability.MANAGE_VOICE),
            ],
        ),
        OperatorPage(key="stock", label=_("Numbers"), url_name="telephony_ops:stock", order=50),
        OperatorPage(key="porting", label=_("Porting"), url_name="porting_ops:order_list", order=55),
        OperatorPage(
            key="disclaimers", label=_("Emergency calling"), url_name="emergency_ops:disclaimer_list", order=60
        ),
    )
