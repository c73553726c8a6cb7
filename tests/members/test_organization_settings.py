import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from members.access import Actor
from members.audit import Action
from members.departments import find_or_add_departments
from members.models import AuditEntry, Member
from members.services.organization_settings import change_organization_settings
from tests.factories import MemberFactory, OrganizationFactory

SYSTEM = Actor.system()


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme", name="Acme", language="en", time_zone="Europe/Paris")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


def facts(**changes):
    return {
        "name": "Acme",
        "time_zone": "Europe/Paris",
        "language": "en",
        "allow_personal_accounts": True,
        "show_colleagues": False,
        **changes,
    }


def change(organization, actor=SYSTEM, **changes):
    return change_organization_settings(actor=actor, organization=organization, **facts(**changes))


def url():
    return reverse("members:organization_settings", args=["acme"])


def test_what_changed_is_saved_and_logged_and_nothing_else(organization):
    change(organization, name="Acme & Söhne", allow_personal_accounts=False)

    organization.refresh_from_db()
    assert (organization.name, organization.allow_personal_accounts) == ("Acme & Söhne", False)
    entry = AuditEntry.objects.get()
    assert entry.action == Action.ORGANIZATION_CHANGED
    assert entry.before == {"name": "Acme", "allow_personal_accounts": True}
    assert entry.after == {"name": "Acme & Söhne", "allow_personal_accounts": False}
    change(organization, name="Acme & Söhne", allow_personal_accounts=False)
    assert AuditEntry.objects.count() == 1


def test_with_the_language_members_and_departments_sort_anew(organization):
    for name in ("Ödman", "Zander", "Olsson", "Ek"):
        MemberFactory(organization=organization, user__first_name="", user__last_name=name)
    find_or_add_departments(organization=organization, actor=SYSTEM, paths=["Ö/Å", "Z", "A"])

    def orders():
        people = Member.objects.of(organization).order_by("sort_key").values_list("user__last_name", flat=True)
        return list(people), list(organization.departments.order_by("sort_key").values_list("path", flat=True))

    assert orders() == (["Ek", "Ödman", "Olsson", "Zander"], ["A", "Ö", "Ö / Å", "Z"])
    change(organization, language="sv")
    assert orders() == (["Ek", "Olsson", "Zander", "Ödman"], ["A", "Z", "Ö", "Ö / Å"])


def test_members_are_locked_before_they_are_sorted_anew(organization, locks_before_writes):
    MemberFactory(organization=organization, user__first_name="Östen")

    with locks_before_writes():
        change(organization, language="sv")


@pytest.mark.parametrize("role", [role for role in Member.Role if role != Member.Role.ADMINISTRATOR])
def test_only_administrators_change_settings(organization, role):
    with pytest.raises(PermissionDenied):
        change(organization, Actor.of_member(MemberFactory(organization=organization, role=role)), name="Other")
    with pytest.raises(PermissionDenied):
        change(organization, Actor.of_member(MemberFactory(admin=True)), name="Other")
    organization.refresh_from_db()
    assert organization.name == "Acme"


def test_the_page_shows_what_is_fixed_and_saves_the_rest(client, organization, boss):
    page = client.get(url())
    assert "Fixed at set-up" in page.text
    assert "France" in page.text
    assert 'name="currency"' not in page.text

    response = client.post(url(), {"name": "Acme Nord", "time_zone": "Europe/Stockholm", "language": "sv"}, follow=True)

    organization.refresh_from_db()
    assert response.redirect_chain == [(url(), 302)]
    assert (organization.name, organization.time_zone, organization.language) == ("Acme Nord", "Europe/Stockholm", "sv")
    assert not organization.allow_personal_accounts
    assert organization.currency == "EUR"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "\u3164"},
        {"name": "a" * 201},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": ""},
        {"language": "xx"},
        {"language": "e" * 10_000},
    ],
)
def test_what_cannot_be_is_refused(client, organization, boss, changes):
    data = {"name": "Acme", "time_zone": "Europe/Paris", "language": "en"} | changes

    response = client.post(url(), data)

    assert response.status_code == 422
    assert "error-summary" in response.text
    assert not AuditEntry.objects.exists()
