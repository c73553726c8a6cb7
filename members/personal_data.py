"""Everything that is kept about one person, as they may ask for it (GDPR, articles 15 and 20)."""

from django.db.models import Q

from members.factors import factors_of
from members.models import AuditEntry, AuditOrigin, BatchRow, Invitation, Letter, Member, Tenure, User, UserSession
from members.registry import PersonalDataPart, registry
from members.tenures import Stint, present_stint, stint_of


def data_of_account(user: User) -> dict[str, object]:
    """What is kept about an account, and by each organization about its owner."""
    factors = factors_of(user)
    memberships = Member.objects.filter(user=user).with_people().select_related("organization").order_by("pk")
    return {
        "account": {
            "skype_name": user.skype_name,
            "kind": user.kind,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "email_confirmed_at": user.email_verified_at,
            "language": user.language,
            "created_at": user.created_at,
            "last_sign_in_at": user.last_login,
            "authenticator_app_since": factors.app.created_at if factors.app else None,
            "passkeys": [{"name": passkey.name, "created_at": passkey.created_at} for passkey in factors.passkeys],
        },
        "sessions": list(
            UserSession.objects.filter(user=user).order_by("pk").values("browser", "address", "began_at", "seen_at")
        ),
        "acted_from": list(
            AuditOrigin.objects.filter(user=user, handed_over_at=user.handed_over_at)
            .order_by("pk")
            .values_list("address", flat=True)
        ),
        "letters": _letters(Q(user=user, organization=None)),
        "memberships": [data_of_membership(member) for member in memberships],
    }


def data_of_membership(member: Member, tenure: Tenure | None = None) -> dict[str, object]:
    """What one organization keeps about one of its members, what other apps keep included.

    With ``tenure`` it is about the one who had the account then, else about the present person. Nothing in it is
    about anybody else: of what others did it says what and when, not who.
    """
    about = Q(subject_member=member) | Q(actor_member=member)
    stint = stint_of(member, tenure) if tenure else present_stint(member)
    return {
        "organization": member.organization.name,
        "skype_name": member.user.skype_name,
        **(_of_predecessor(tenure) if tenure else _of_present(member)),
        "had_account_from": stint.since or member.created_at,
        "had_account_until": stint.until,
        "invitations": list(
            Invitation.objects.filter(stint.covers("created_at"), organization=member.organization_id)
            .filter(Q(member=member) | Q(user=member.user_id))
            .order_by("pk")
            .values("email", "state", "created_at", "expires_at", "closed_at")
        ),
        "call_detail_consents": list(member.call_detail_consents.order_by("at", "pk").values("given", "at")),
        "letters": _letters(Q(member=member) & stint.covers("created_at")),
        "imported_rows": _rows(member, stint),
        "log": [
            {
                "at": entry.at,
                "action": entry.action,
                "by_you": entry.actor_member_id == member.pk,
                "about_you": entry.subject_member_id == member.pk,
                "before": entry.before,
                "after": entry.after,
                "reason": entry.reason,
            }
            for entry in AuditEntry.objects.filter(
                about, stint.covers("at"), organization=member.organization_id
            ).order_by("pk")
        ],
        **{part.key: part.collect(member, stint) for part in registry.all(PersonalDataPart)},
    }


def _of_present(member: Member) -> dict[str, object]:
    return {
        "first_name": member.user.first_name,
        "last_name": member.user.last_name,
        "email": member.email,
        "job_title": member.job_title,
        "department": member.department.path if member.department else "",
        "role": member.role,
        "state": member.state,
        "added_at": member.created_at,
        "joined_at": member.joined_at,
    }


def _of_predecessor(tenure: Tenure) -> dict[str, object]:
    return {name: getattr(tenure, name) for name in ("first_name", "last_name", "email", "job_title")}


def _letters(condition: Q) -> list[dict[str, object]]:
    return [
        {
            "kind": letter.kind,
            "state": letter.state,
            "to": letter.email,
            "created_at": letter.created_at,
            "closed_at": letter.closed_at,
        }
        for letter in Letter.objects.filter(condition).order_by("pk")
    ]


def _rows(member: Member, stint: Stint) -> list[dict[str, object]]:
    mine = BatchRow.objects.filter(organization=member.organization_id, member=member).exclude(data={})
    rows = mine.filter(stint.covers("batch__created_at")).order_by("pk")
    # The hash of a first password is in a row until its account is made.
    return [
        {key: value for key, value in data.items() if key != "password"} for data in rows.values_list("data", flat=True)
    ]
