"""A company with enough people to have several pages of them, for tests that change things."""

from members.models import Member, Organization
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory


def company_of(number: int) -> tuple[Organization, Member]:
    """An organization with ``number`` members "Person 001"… and a department, and its administrator "Ada Boss"."""
    organization = OrganizationFactory(name="Architectes", slug="architectes")
    DepartmentFactory(organization=organization, name="Studio Lyon")
    admin = MemberFactory(
        admin=True, organization=organization, user__first_name="Ada", user__last_name="Boss", user__language="en"
    )
    for place in range(1, number + 1):
        MemberFactory(organization=organization, user__first_name="Person", user__last_name=f"{place:03}")
    return organization, admin
