"""What products are called, and what they are for, in the language of whoever reads; an unknown one by its code."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "e5": ("Enterprise E5", _("Phone System and Audio Conferencing in one, with voicemail and call forwarding.")),
    "phone-system": (
        _("Phone System (Cloud PBX)"),
        _("A phone number of one’s own, with voicemail, caller ID and call forwarding."),
    ),
    "audio-conferencing": (_("Audio Conferencing"), _("Meetings that people join by phone.")),
    "calling-plan-domestic": (_("Domestic Calling Plan"), _("Calls to phones in one’s own country.")),
    "calling-plan-international": (
        _("International Calling Plan"),
        _("Calls to phones in one’s own country and abroad."),
    ),
    "premium": ("Skype Premium", _("Group video calls, and several people sharing at once.")),
    "subscription-unlimited-world": (
        _("Unlimited World"),
        _("A subscription for calls to phones around the world, with voicemail."),
    ),
    "subscription-unlimited-europe": (
        _("Unlimited Europe"),
        _("A subscription for calls to phones in Europe, with voicemail."),
    ),
    "voicemail": (_("Voicemail"), _("Callers leave a message.")),
    "caller-id": (_("Caller ID"), _("People who are called see a number that they know.")),
    "call-forwarding": (_("Call forwarding"), _("Calls go on to another phone or account.")),
    "skype-connect": ("Skype Connect", _("A phone system of one’s own, connected by SIP.")),
}


def name_of(code: str) -> str:
    """The name of a product."""
    return str(TEXTS[code][0]) if code in TEXTS else code


def description_of(code: str) -> str:
    """A sentence that says what a product is for, "" for one that nobody has described."""
    return str(TEXTS[code][1]) if code in TEXTS else ""
