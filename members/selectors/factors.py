"""Who has a second factor."""

from django.db.models import Count, Exists, OuterRef, Q

from members.models import AuthenticatorApp, Member, Organization, Passkey


def count_administrators(organization: Organization) -> tuple[int, int]:
    """How many people administer ``organization``, and how many of them have a second factor."""
    counts = (
        Member.objects.of(organization)
        .administrators()
        .aggregate(
            everyone=Count("pk"),
            protected=Count(
                "pk",
                filter=Q(Exists(AuthenticatorApp.objects.filter(user=OuterRef("user"))))
                | Q(Exists(Passkey.objects.filter(user=OuterRef("user")))),
            ),
        )
    )
    return counts["everyone"], counts["protected"]
