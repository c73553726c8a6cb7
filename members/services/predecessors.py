"""What is kept about somebody who had a business account before, given away and forgotten; their successor stays."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from members.access import Actor, Capability, require_even_closed, require_over
from members.acts import lock_member
from members.audit import Action, record
from members.forgetting import empty_rows
from members.models import AuditOrigin, Invitation, Letter, Member, Organization, Tenure
from members.personal_data import data_of_membership
from members.tenures import stint_of


@transaction.atomic(durable=True)
def export_predecessor_data(*, actor: Actor, organization: Organization, tenure: Tenure) -> dict[str, object]:
    """What ``organization`` keeps about whoever had an account in ``tenure``; the log says who asked for it.

    Of one that is closed operators give it.
    """
    require_even_closed(actor, organization, Capability.MANAGE_MEMBERS)
    member, tenure = _find(actor, organization, tenure)
    facts = data_of_membership(member, tenure)
    record(
        organization=organization,
        actor=actor,
        action=Action.PREDECESSOR_DATA_EXPORTED,
        subject=tenure,
        member=member,
    )
    return facts


@transaction.atomic(durable=True)
def erase_predecessor(*, actor: Actor, organization: Organization, tenure: Tenure) -> None:
    """Forget who had an account in ``tenure``; it can't be undone, and is done once.

    Name, address, where they acted from, their letters and their rows of imports go; the log stays. What the present
    person has is left alone. Of a closed organization operators do it.
    """
    require_even_closed(actor, organization, Capability.MANAGE_MEMBERS)
    member, tenure = _find(actor, organization, tenure)
    if tenure.erased_at is not None:
        return
    stint = stint_of(member, tenure)
    invitations = Invitation.objects.filter(stint.covers("created_at"), organization=organization, member=member)
    # An address that went over with the account is the successor's.
    theirs = [*invitations.values_list("email", flat=True), tenure.email]
    addresses = {address for address in theirs if address.lower() != member.email.lower()}
    rows = Q(member=member) & stint.covers("batch__created_at")
    empty_rows(organization, rows, addresses)
    letters = Letter.objects.filter(Q(member=member) | Q(user=member.user), stint.covers("created_at"))
    letters.filter(email__in=addresses).update(email="", facts={}, last_error="")
    invitations.filter(email__in=addresses).update(email="")
    AuditOrigin.objects.filter(user=member.user, handed_over_at=stint.since).delete()
    Tenure.objects.filter(pk=tenure.pk).update(first_name="", last_name="", email="", job_title="", erased_at=Now())
    record(organization=organization, actor=actor, action=Action.PREDECESSOR_ERASED, subject=tenure, member=member)


def _find(actor: Actor, organization: Organization, tenure: Tenure) -> tuple[Member, Tenure]:
    """The member whose account it was, locked, and the tenure; anything but a predecessor's is refused."""
    member = lock_member(organization, Member(pk=tenure.member_id))
    require_over(actor, member)
    found = next((entry for entry in member.predecessors if entry == tenure), None)
    if found is None:
        raise PermissionDenied
    return member, found
