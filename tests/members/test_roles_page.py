"""The table of what each role may do."""

import re

import pytest

from members.access import ORGANIZATION_CAPABILITIES, ROLES, Capability
from members.models import Member
from members.role_texts import CAPABILITIES, abilities_of, list_capabilities
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

URL = "/acme/members/roles/"


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


def test_every_capability_of_an_organization_has_its_words():
    assert set(CAPABILITIES) == ORGANIZATION_CAPABILITIES


def test_the_table_says_what_the_roles_are(client, organization):
    client.force_login(MemberFactory(organization=organization, role=Member.Role.REPORTS_VIEWER).user)
    for _person in range(2):
        MemberFactory(organization=organization, admin=True)

    page = client.get(URL).text

    for row in list_capabilities():
        line = re.search(rf">{re.escape(str(row.text))}</th>(.*?)</tr>", page, re.DOTALL)
        assert line is not None
        said = re.findall(r'<span class="visually-hidden">(yes|no)</span>', line[1])
        capability = next(found for found, text in CAPABILITIES.items() if text == row.text)
        assert said == ["yes" if capability in ROLES[role] else "no" for role in Member.Role.values]
    assert 'aria-label="Administrator: 2 people"' in page
    assert 'href="/acme/members/?role=administrator"' in page


def test_the_page_of_a_member_says_what_they_may_do_and_leads_to_the_table(client, organization):
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    manager = MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)

    page = client.get(f"/acme/members/@{manager.user.skype_name}/").text

    assert str(CAPABILITIES[Capability.MANAGE_CREDIT]) in page
    assert str(CAPABILITIES[Capability.MANAGE_VOICE]) not in page
    assert f'href="{URL}"' in page
    assert abilities_of(Member.Role.MEMBER) == []
