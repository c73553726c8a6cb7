"""What the end of an organization means to its members: what stands in the way, what happens, and how it is done."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from members.access import Actor
from members.acts import lock_members, shut
from members.api_tokens import end_tokens
from members.audit import Action, Fact, record_many
from members.audit_sets import record_for_members
from members.consents import latest_consents
from members.invitation_acts import lock_invitations, lock_people, take_back
from members.locks import take_time
from members.models import (
    Batch,
    BatchPiece,
    CallDetailConsent,
    Invitation,
    JobRun,
    Member,
    Organization,
    User,
)
from members.models.batches import OPEN_STATES
from members.models.people import MemberQuerySet
from members.registry import ClosingStep, Obstacle, Text, registry
from members.tallies import present, tally
from skypemgr.clock import DatabaseClock

AT_ONCE = 500


def obstacles(organization: Organization) -> Sequence[Obstacle]:
    """Batches under way: they would stop somewhere in the middle."""
    kinds = set(Batch.objects.filter(organization=organization, state__in=OPEN_STATES).values_list("kind", flat=True))
    found = []
    if Batch.Kind.IMPORT_MEMBERS in kinds:
        text = gettext("An import is under way. Wait until it has ended, or stop it.")
        found.append(Obstacle(text, reverse("members:import_list", args=[organization.slug])))
    if kinds - {Batch.Kind.IMPORT_MEMBERS}:
        text = gettext("A change of many members is under way. Wait until it has ended, or stop it.")
        found.append(Obstacle(text, reverse("members:run_list", args=[organization.slug])))
    return found


def consequences(organization: Organization) -> Sequence[str]:
    """What everybody loses."""
    numbers = tally(organization, "account_kind", present())
    business, personal = numbers.get(User.Kind.BUSINESS, 0), numbers.get(User.Kind.PERSONAL, 0)
    told = [
        gettext("Nobody opens this console any more, administrators neither. It can’t be brought back."),
        gettext("Sessions, API tokens and open invitations end."),
        gettext(
            "Ledger, invoices and audit log are kept for as long as the law asks, sealed as they are. Nobody here can"
            " open them: export first what you need."
        ),
    ]
    if business:
        text = ngettext(
            "{number} business account is blocked for good: it signs in nowhere.",
            "{number} business accounts are blocked for good: they sign in nowhere.",
            business,
        )
        told.insert(1, text.format(number=business))
    if personal:
        text = ngettext(
            "{number} personal account leaves. It stays its owner’s, with the credit it holds.",
            "{number} personal accounts leave. They stay their owners’, with the credit they hold.",
            personal,
        )
        told.insert(2 if business else 1, text.format(number=personal))
    return told


def files(organization: Organization) -> Sequence[tuple[Text, str]]:
    """What to export first."""
    return [
        (gettext("List of members"), reverse("members:member_export", args=[organization.slug])),
        (gettext("Audit log"), reverse("members:audit_export", args=[organization.slug])),
    ]


@transaction.atomic(savepoint=False)
def begin(organization: Organization) -> None:
    """Stop what would go on by itself: batches, reviews, and what the clock has planned."""
    open_ones = Batch.objects.filter(organization=organization, state__in=[*OPEN_STATES, Batch.State.DRAFT])
    stopped = list(open_ones)
    open_ones.update(state=Batch.State.CANCELED, finished_at=DatabaseClock())
    BatchPiece.objects.filter(batch__in=stopped).delete()
    facts = [
        Fact(
            action=Action.BATCH_CANCELED if batch.kind == Batch.Kind.IMPORT_MEMBERS else Action.RUN_CANCELED,
            subject=batch,
        )
        for batch in stopped
    ]
    record_many(organization=organization, actor=Actor.system(), facts=facts)
    JobRun.objects.filter(organization=organization, finished_at=None).delete()


@transaction.atomic(savepoint=False)
def carry_on(organization: Organization) -> int:
    """Take back some invitations, or let some people go; gives how many."""
    take_time()
    members = Member.objects.of(organization).order_by("sort_key", "id")
    return (
        _take_back(organization)
        or _let_go(organization, members.present().filter(account_kind=User.Kind.PERSONAL))
        or _let_go(organization, members.filter(state=Member.State.INVITED))
        or _shut(organization, members.filter(state=Member.State.ACTIVE))
    )


def _take_back(organization: Organization) -> int:
    pending = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
    some = Invitation.objects.filter(pk__in=list(pending.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]))
    people = lock_people(some)
    locked = [
        invitation
        for invitation in lock_invitations(organization, some)
        if invitation.state == Invitation.State.PENDING
    ]
    take_back(organization=organization, actor=Actor.system(), people=people, pending=locked)
    return len(locked)


def _let_go(organization: Organization, chosen: MemberQuerySet) -> int:
    """Those who leave: personal accounts with what they hold, and accounts that nobody has finished."""
    keys = lock_members(Member.objects.filter(pk__in=_next(chosen)).present())
    if not keys:
        return 0
    actor = Actor.system()
    given = [consent for consent in latest_consents(keys).values() if consent.given]
    ended = CallDetailConsent.objects.bulk_create(
        CallDetailConsent(organization=organization, member_id=consent.member_id, given=False) for consent in given
    )
    facts = [Fact(action=Action.CONSENT_WITHDRAWN, subject=entry, member=entry.member) for entry in ended]
    record_many(organization=organization, actor=actor, facts=facts)
    record_for_members(
        organization=organization,
        actor=actor,
        action=Action.MEMBER_LEFT,
        keys=keys,
        before=JSONObject(state="state", role="role"),
        after={"state": Member.State.LEFT},
    )
    Member.objects.filter(pk__in=keys).update(state=Member.State.LEFT)
    end_tokens(keys)
    User.objects.filter(Q(memberships__in=keys), owner=organization).update(is_active=False)
    return len(keys)


def _next(members: MemberQuerySet) -> list[int]:
    return list(members.values_list("pk", flat=True)[:AT_ONCE])


def _shut(organization: Organization, chosen: MemberQuerySet) -> int:
    keys = lock_members(Member.objects.filter(pk__in=_next(chosen), state=Member.State.ACTIVE))
    if keys:
        shut(organization=organization, actor=Actor.system(), keys=keys, reason="")
    return len(keys)


def register() -> None:
    """Called once at start-up."""
    registry.add(
        ClosingStep(
            key="members",
            order=10,
            obstacles=obstacles,
            consequences=consequences,
            files=files,
            begin=begin,
            carry_on=carry_on,
        )
    )
