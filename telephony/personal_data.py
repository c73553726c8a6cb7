"""What telephony keeps about a member, for the file they may ask for."""

from django.db.models import Q

from members.models import Member
from members.tenures import Stint
from telephony.models import AccountCode, Call, EmergencyAcknowledgment, NumberAssignment


def phone_of(member: Member, stint: Stint) -> dict[str, object]:
    """The numbers somebody has had while the account was theirs, where they were found, and what they have read.

    An address is the one of now: an assignment keeps none of those before it, which the log tells.
    """
    until = Q(since__lt=stint.until) if stint.until else Q()
    since = Q(until=None) | Q(until__gt=stint.since) if stint.since else Q()
    had = NumberAssignment.objects.filter(until, since, organization=member.organization_id, member=member)
    said = EmergencyAcknowledgment.objects.filter(
        stint.covers("at"), organization=member.organization_id, member=member
    )
    return {
        "numbers": [
            {
                "number": one.number.number,
                "since": max(one.since, stint.since) if stint.since else one.since,
                "until": min(filter(None, (one.until, stint.until)), default=None),
                "emergency_address": one.emergency_address.name,
                "place": one.place.name if one.place is not None else None,
            }
            for one in had.select_related("number", "emergency_address", "place").order_by("since", "pk")
        ],
        "emergency_calls_read": [
            {
                "at": one.at,
                "number": one.assignment.number.number,
                "emergency_address": one.version.address.name,
                "place": one.place,
                "disclaimer": str(one.disclaimer) if one.disclaimer is not None else None,
            }
            for one in said.select_related("assignment__number", "version__address", "disclaimer").order_by("pk")
        ],
    }


def calls_of(member: Member, stint: Stint) -> dict[str, object]:
    """How many calls are kept of the time in which the account was somebody's, and what switches call them by.

    The calls themselves are theirs to download on their own page: administrators get this file, too, and may see
    single calls only of those who agreed.
    """
    calls = Call.objects.filter(stint.covers("at"), organization=member.organization_id, member=member)
    codes = AccountCode.objects.filter(organization=member.organization_id, member=member)
    return {
        "account_codes": [] if stint.until else list(codes.order_by("code").values_list("code", flat=True)),
        "calls": calls.count(),
    }
