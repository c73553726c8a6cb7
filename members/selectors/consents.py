"""Of whom administrators may see call detail, and what somebody has decided about it."""

from datetime import datetime
from typing import cast

from django.db.models import OuterRef, Q, Subquery

from members.models import CallDetailConsent, Member, User
from members.models.people import MemberQuerySet


def with_call_detail(members: MemberQuerySet, *, at: datetime | None = None) -> MemberQuerySet:
    """Those of ``members`` of whom administrators may see whom they call and when; or might have, at a moment.

    All business accounts, and those personal ones whose owner agreed and has not taken it back.
    """
    decided = CallDetailConsent.objects.filter(member=OuterRef("pk"))
    if at is not None:
        decided = decided.filter(at__lte=at)
    latest = Subquery(decided.order_by("-at", "-id").values("given")[:1])
    shown = Q(account_kind=User.Kind.BUSINESS) | Q(latest_consent=True)
    return cast(MemberQuerySet, members.alias(latest_consent=latest).filter(shown))


def may_see_call_detail(member: Member, *, at: datetime | None = None) -> bool:
    """Whether administrators may see whom ``member`` calls and when; or might have, at a moment."""
    return with_call_detail(Member.objects.filter(pk=member.pk), at=at).exists()


def list_consents(member: Member) -> list[CallDetailConsent]:
    """What ``member`` decided, the latest first: fifty decisions at most."""
    return list(member.call_detail_consents.order_by("-at", "-id")[:50])
