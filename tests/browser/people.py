"""A company with enough people to have several pages of them, for tests that change things."""

from django.contrib.auth.hashers import make_password
from django.test import override_settings

from members.models import Member, Organization, User
from skypemgr import settings as everywhere
from tests.factories import PASSWORD, DepartmentFactory, MemberFactory, OrganizationFactory

# Who reads the pages, by language.
NAMES = {"en": ("Harriet", "Ashworth"), "fr": ("Élodie", "Garnier"), "sv": ("Sigrid", "Öberg")}


def company_of(number: int) -> tuple[Organization, Member]:
    """An organization with ``number`` members "Person 001"… and a department, and its administrator "Ada Boss"."""
    organization = OrganizationFactory(name="Architectes", slug="architectes")
    DepartmentFactory(organization=organization, name="Studio Lyon")
    admin = MemberFactory(
        admin=True,
        organization=organization,
        user__skype_name="ada.boss",
        user__first_name="Ada",
        user__last_name="Boss",
        user__language="en",
    )
    for place in range(1, number + 1):
        MemberFactory(organization=organization, user__first_name="Person", user__last_name=f"{place:03}")
    return organization, admin


def hashed_as_everywhere(user: User) -> User:
    """``user`` with the password PASSWORD as the site keeps it; tests hash more quickly than it would accept."""
    with override_settings(PASSWORD_HASHERS=everywhere.PASSWORD_HASHERS):
        user.password = make_password(PASSWORD)
    user.save(update_fields=["password"])
    return user
