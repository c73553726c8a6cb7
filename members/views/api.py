"""What programs ask about members, and about the token they have."""

import re

from django.http import HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from members.api import ApiRequest, answer, api_view, problem
from members.models import Member
from members.selectors.member_facts import facts_of
from members.selectors.members import for_list

SOME, MOST = 100, 500


@api_view(None)
@require_safe
def token(request: ApiRequest) -> HttpResponse:
    """What the token is: for trying it."""
    return answer(
        {
            "organization": request.organization.slug,
            "name": request.token.name,
            "scopes": request.token.scopes,
            "expires_at": request.token.expires_at,
        }
    )


@api_view("members:read")
@require_safe
def member_list(request: ApiRequest) -> HttpResponse:
    """Members, who left included, in the order in which they were added: ``limit`` of them, and where the next are.

    Their facts are those of ``list_members --json``.
    """
    after, limit = request.GET.get("after", "0"), request.GET.get("limit", str(SOME))
    if not all(re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) for text in (after, limit)):
        return problem(400, gettext("Not a number"), gettext("“after” and “limit” are whole numbers."))
    size = max(1, min(int(limit), MOST))
    members = Member.objects.of(request.organization).filter(pk__gt=int(after))
    found = list(for_list(members).order_by("pk")[: size + 1])
    shown = found[:size]
    following = ""
    if len(found) > size:
        following = f"{request.path}?{urlencode({'after': shown[-1].pk, 'limit': size})}"
    return answer(
        {
            "members": facts_of(request.organization, shown),
            "next": request.build_absolute_uri(following) if following else None,
        }
    )
