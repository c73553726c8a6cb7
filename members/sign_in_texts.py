"""What a letter says about a change of how somebody signs in: a heading and a sentence for each event."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVENTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "app_added": (
        _("An authenticator app was set up"),
        _("From now on its codes are asked for when somebody signs in with your password."),
    ),
    "app_removed": (_("Your authenticator app was removed"), _("Its codes open nothing any more.")),
    "passkey_added": (_("A passkey was set up"), _("It signs in to your account without a password.")),
    "passkey_removed": (_("A passkey was removed"), _("It opens nothing any more.")),
    "codes_renewed": (
        _("You have new recovery codes"),
        _("Those before open nothing any more. Keep the new ones where you find them without your phone."),
    ),
    "code_used": (_("A recovery code was used"), _("It works once, so it is worth nothing now.")),
    "factors_reset": (
        _("Your second factor was reset"),
        _("Your password alone signs in now, and every browser is signed out. Set up a second factor again."),
    ),
}
