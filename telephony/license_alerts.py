"""What about licenses somebody should look at: those that the wallet could not renew, and those that sleep by that."""

from collections.abc import Sequence

from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from credit.alerts import NAMED, Alert, AlertSource, notice_of
from credit.ways import buy_url
from members.access import Capability
from members.models import Organization
from members.registry import Notice, registry
from skypemgr.templatetags.look import count, day
from telephony.licensing import GRACE, today_of
from telephony.models import License

KIND = "licenses"


def register() -> None:
    """Called once at start-up."""
    registry.add(
        AlertSource(key=KIND, order=35, find=find_unpaid),
        Notice(
            key=notice_of(KIND),
            label=_("A license could not be renewed, or sleeps"),
            capability=Capability.MANAGE_CREDIT,
            order=120,
        ),
    )


def find_unpaid(organization: Organization) -> list[Alert]:
    """Licenses in their days of grace, told each day of them, and those that sleep, told once."""
    unpaid = License.objects.filter(organization=organization, grace_since__isnull=False).owned()
    found = list(unpaid.select_related("product").order_by("grace_since", "pk")[:100])
    waiting, asleep = ([one for one in found if bool(one.asleep_since) is sleeps] for sleeps in (False, True))
    return [
        alert
        for some, make in ((waiting, _in_grace), (asleep, _asleep))
        if some
        for alert in [make(organization, some)]
    ]


def _in_grace(organization: Organization, licenses: Sequence[License]) -> Alert:
    title = ngettext(
        "%(count)s license could not be renewed", "%(count)s licenses could not be renewed", len(licenses)
    ) % {"count": count(len(licenses))}
    [first, *_rest] = licenses
    assert first.grace_since is not None
    note = gettext("{names}. The first of them sleeps from {day} on, unless the wallet holds enough before.").format(
        names=_names(licenses), day=day(first.grace_since + GRACE)
    )
    key = f"unpaid:{today_of(organization).isoformat()}"
    return Alert(KIND, key, title, note, buy_url(organization), gettext("Buy credit"), "danger", "licenses")


def _asleep(organization: Organization, licenses: Sequence[License]) -> Alert:
    title = ngettext("%(count)s license sleeps", "%(count)s licenses sleep", len(licenses)) % {
        "count": count(len(licenses))
    }
    note = gettext("{names}. The seats wake by themselves once the wallet holds enough.").format(names=_names(licenses))
    newest = max(one.asleep_since for one in licenses if one.asleep_since)
    key = f"asleep:{newest}"
    return Alert(KIND, key, title, note, buy_url(organization), gettext("Buy credit"), "danger", "licenses")


def _names(licenses: Sequence[License]) -> str:
    names = list(dict.fromkeys(one.product.name for one in licenses))
    shown = names[:NAMED]
    if rest := len(names) - len(shown):
        shown.append(ngettext("%(count)s more", "%(count)s more", rest) % {"count": count(rest)})
    return get_text_list(shown, gettext("and"))
