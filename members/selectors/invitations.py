"""Reading invitations: why a link is of no use any more, the list of a console, and those a person may answer."""

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from members.models import Invitation, Letter, Member, Organization, User
from members.models.invitations import InvitationQuerySet
from members.names import fold

# Letters that were not delivered, and that no newer one has followed.
_NEWER = Letter.objects.filter(invitation=OuterRef("invitation"), pk__gt=OuterRef("pk"))
_FAILED = Letter.objects.filter(
    ~Exists(_NEWER), state=Letter.State.FAILED, kind=Letter.Kind.INVITATION, invitation__isnull=False
)
_BOUNCED = Exists(_FAILED.filter(invitation=OuterRef("pk")))


def closed_because(invitation: Invitation, *, newest: bool = True) -> str:
    """Why a link of ``invitation`` is of no use: used, declined, canceled, replaced, expired; "" when it works.

    ``newest`` says whether it is the link that was sent last.
    """
    match invitation.state:
        case Invitation.State.ACCEPTED:
            return "used"
        case Invitation.State.DECLINED:
            return "declined"
        case Invitation.State.CANCELED:
            return "canceled"
    if invitation.organization.closed_at is not None:
        return "canceled"
    if not newest:
        return "replaced"
    return "" if invitation.is_open(timezone.now()) else "expired"


def list_invitations(organization: Organization, *, state: str = "", search: str = "") -> InvitationQuerySet:
    """The invitations of an organization in a state.

    Those nobody has answered are in one of four: bounced (the newest letter was not delivered), expired, opened (the
    page of the link was shown), or pending. "replied" gives those of them whose holder asked for something, others
    how they ended, "" all.
    """
    invitations = Invitation.objects.filter(organization=organization).select_related("member__user", "user")
    match state:
        case Invitation.State.PENDING:
            invitations = invitations.open(timezone.now()).filter(~_BOUNCED, opened_at=None)
        case "opened":
            invitations = invitations.open(timezone.now()).filter(~_BOUNCED, opened_at__isnull=False)
        case "bounced":
            failed = _FAILED.filter(organization=organization).values("invitation")
            invitations = invitations.filter(state=Invitation.State.PENDING, pk__in=failed)
        case "expired":
            late = invitations.filter(state=Invitation.State.PENDING, expires_at__lte=timezone.now())
            invitations = late.filter(~_BOUNCED)
        case "replied":
            invitations = invitations.filter(state=Invitation.State.PENDING).exclude(reply="")
        case Invitation.State.ACCEPTED | Invitation.State.DECLINED | Invitation.State.CANCELED:
            invitations = invitations.filter(state=state)
    if search:
        # Members by what they are called, which holds their addresses; of strangers, who are few, by what is known:
        # the address of somebody who was invited by Skype Name is theirs to tell.
        members = Member.objects.of(organization).filter(search_text__contains=fold(search))
        strangers = Invitation.objects.filter(organization=organization, member=None).filter(
            Q(user=None, email__icontains=search) | Q(user__skype_name__icontains=search)
        )
        found = Invitation.objects.filter(organization=organization, member__in=members.values("pk"))
        invitations = invitations.filter(pk__in=found.values("pk").union(strangers.values("pk")))
    return invitations


def invitations_for(user: User) -> InvitationQuerySet:
    """The open invitations that a personal account was asked by name, or by an address it has confirmed."""
    mine = Q(user=user)
    if user.email_verified_at is not None:
        strangers = Invitation.objects.addressed(user.email).filter(
            state=Invitation.State.PENDING, kind=User.Kind.PERSONAL, user=None
        )
        mine |= Q(pk__in=strangers.values("pk"))
    return (
        Invitation.objects.open(timezone.now())
        .filter(mine, kind=User.Kind.PERSONAL)
        .select_related("organization", "invited_by__user")
        .order_by("pk")
    )
