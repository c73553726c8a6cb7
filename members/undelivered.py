"""Letters of an organization that were not delivered, and the letter that tells of them to those who manage members.

It never tells of its own kind: a letter that fails must not lead to another.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.access import Actor, Capability
from members.delivery import why_not
from members.letter_texts import absolute_url, language_of, register_composer
from members.models import Invitation, Letter, Organization
from members.registry import Notice, registry

NOTICE = "members.letters_failed"
# So many are named in a letter; the pages show all.
NAMED = 20


@dataclass(frozen=True)
class Failure:
    """Whom a letter did not reach, which one that was, and why; ``url`` is their page, "" when they have none.

    ``address`` is where it went, "" where it is not for their organization to know.
    """

    name: str
    address: str
    what: str
    why: str | Promise
    url: str


def failures_of(organization: Organization) -> QuerySet[Letter]:
    """The letters of an organization that were given up, but those that tell of such letters."""
    failed = Letter.objects.filter(organization=organization, state=Letter.State.FAILED)
    return failed.exclude(kind=Letter.Kind.LETTERS_FAILED)


def _still_news(organization: Organization, told_at: datetime) -> QuerySet[Letter]:
    """Those that were found at that moment, without what was settled, sent again or forgotten since."""
    newer = Letter.objects.filter(invitation=OuterRef("invitation"), pk__gt=OuterRef("pk"))
    waits = Q(invitation=None) | (Q(invitation__state=Invitation.State.PENDING) & ~Exists(newer))
    # What somebody was written is nothing about whoever has their account now.
    theirs = Q(user__handed_over_at=None) | Q(user__handed_over_at__lte=F("created_at"))
    return failures_of(organization).filter(waits, theirs, told_at=told_at).exclude(email="")


def _letters_failed(letter: Letter) -> dict[str, Any] | None:
    member, organization = letter.member, letter.organization
    if member is None or organization is None or not Actor.of_member(member).can(Capability.MANAGE_MEMBERS):
        return None
    told_at = letter.facts.get("told_at")
    failed = _still_news(organization, datetime.fromisoformat(told_at)) if told_at else Letter.objects.none()
    total = failed.count()
    if not total:
        return None
    people = failed.select_related("user", "member__user", "invitation__user").order_by("pk")
    bounced = failed.filter(kind=Letter.Kind.INVITATION).exists()
    slug = organization.slug
    with translation.override(letter.language or language_of(letter.user, organization)):
        return {
            "failures": [_failure(organization, one) for one in people[:NAMED]],
            "total": total,
            "more": max(total - NAMED, 0),
            "bounced": bounced,
            "url": f"{absolute_url('members:invitation_list', slug)}?state=bounced"
            if bounced
            else absolute_url("members:member_list", slug),
            "choose_url": absolute_url("members:notices", slug),
        }


def _failure(organization: Organization, letter: Letter) -> Failure:
    user = letter.member.user if letter.member else letter.user
    # The address of whoever was invited by Skype Name, or has a personal account, is theirs to tell.
    known = user is None or user.owner_id == organization.pk
    return Failure(
        name=user.display_name if user else "",
        address=letter.email if known else "",
        what=letter.get_kind_display(),
        why=why_not(letter),
        url=absolute_url("members:member_profile", organization.slug, user.skype_name)
        if user and letter.member
        else "",
    )


def register() -> None:
    """Called once at start-up."""
    register_composer(Letter.Kind.LETTERS_FAILED, _letters_failed)
    registry.add(
        Notice(
            key=NOTICE,
            label=_("Invitations and other letters could not be delivered"),
            capability=Capability.MANAGE_MEMBERS,
            order=50,
        )
    )
