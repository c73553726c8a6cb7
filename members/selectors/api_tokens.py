from django.db.models import QuerySet

from members.api_tokens import with_state
from members.models import ApiToken, Organization


def list_api_tokens(organization: Organization) -> QuerySet[ApiToken]:
    """The tokens of an organization, each with its ``state`` and whoever made it."""
    return (
        ApiToken.objects.filter(organization=organization).annotate(state=with_state()).select_related("made_by__user")
    )
