"""Who is meant by the entries of the form that invites personal accounts, and why somebody can't be invited."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext

from members.addresses import AddressProblem, normalize_address, same_address_key
from members.errors import AlreadyInvited, AlreadyMember, CannotInvite, NoSuchAccount, PersonalAccountsRefused
from members.models import Invitation, Member, Organization, User
from skypemgr.characters import storable


@dataclass(frozen=True)
class Invitee:
    """Somebody to be invited. ``user`` is known when they were named by Skype Name."""

    entry: str
    email: str
    user: User | None = None


def require_personal_accounts(organization: Organization) -> None:
    """Raise PersonalAccountsRefused when an organization takes none; as it is now, whatever ``organization`` says."""
    if not Organization.objects.filter(pk=organization.pk, allow_personal_accounts=True).exists():
        raise PersonalAccountsRefused


def read_invitees(organization: Organization, entries: Sequence[str]) -> list[Invitee]:
    """The people of ``entries``, each once. Raises CannotInvite that names everything that is wrong."""
    named = {storable(entry).lower() for entry in entries if "@" not in entry}
    accounts = {
        user.folded: user
        for user in User.objects.annotate(folded=Lower("skype_name")).filter(
            folded__in=named, kind=User.Kind.PERSONAL, is_active=True
        )
    }
    invitees: dict[str, Invitee] = {}
    problems: list[str] = []
    for entry in entries:
        try:
            user = None if "@" in entry else accounts.get(entry.lower())
            if "@" not in entry and user is None:
                raise NoSuchAccount(skype_name=entry)
            email = user.email if user else normalize_address(entry)
            invitees.setdefault(same_address_key(email), Invitee(entry, email, user))
        except AddressProblem as problem:
            problems.append(gettext("{entry}: {problem}").format(entry=entry, problem=problem))
        except NoSuchAccount as problem:
            problems.append(str(problem))
    problems += _already_here(organization, invitees)
    if problems:
        raise CannotInvite(problems)
    return list(invitees.values())


def _already_here(organization: Organization, invitees: dict[str, Invitee]) -> list[str]:
    users = [invitee.user.pk for invitee in invitees.values() if invitee.user]
    here = Q(folded__in=list(invitees)) | Q(user__in=users)
    members = Member.objects.of(organization).present().annotate(folded=Lower("email")).filter(here)
    invitations = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
    invited = invitations.annotate(folded=Lower("email")).filter(here)
    found = dict(invited.values_list("folded", "user")), dict(members.values_list("folded", "user"))
    problems = []
    for key, invitee in invitees.items():
        invited_here, member_here = (
            key in known or (invitee.user is not None and invitee.user.pk in known.values()) for known in found
        )
        if invited_here or member_here:
            # An invited business account is both; what helps is to send its invitation again.
            kind = AlreadyInvited if invited_here else AlreadyMember
            problems.append(str(kind(person=invitee.entry)))
    return problems
