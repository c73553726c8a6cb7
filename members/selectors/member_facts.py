"""What programs are told about members, by commands and by the API alike."""

from collections.abc import Sequence

from members.models import Member, Organization
from members.registry import MemberFact, registry


def facts_of(organization: Organization, members: Sequence[Member]) -> list[dict[str, object]]:
    """The facts of ``members``, which come with their people (``for_list``); other apps are asked once for all."""
    extra = {fact.key: fact.values(organization, members) for fact in registry.all(MemberFact)}
    return [
        {
            "skype_name": member.user.skype_name,
            "email": member.email,
            "first_name": member.user.first_name,
            "last_name": member.user.last_name,
            "job_title": member.job_title,
            "department": member.department.path if member.department else "",
            "kind": member.user.kind,
            "state": member.state,
            "role": member.role,
            **{key: values.get(member.pk) for key, values in extra.items()},
        }
        for member in members
    ]
