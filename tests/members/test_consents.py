"""Whom somebody calls is shown to administrators when its owner says so, and by nobody else."""

from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse

from members.access import Actor
from members.errors import NoConsentNeeded, StateForbids
from members.models import AuditEntry, CallDetailConsent, Invitation, Member
from members.selectors.consents import may_see_call_detail, with_call_detail
from members.services.consents import decide_call_detail
from members.services.invitations import invite_personal
from members.services.profile import leave_organization
from members.tokens import invitation_token
from skypemgr.clock import database_now
from skypemgr.invariants import find_violations
from tests.factories import MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    return MemberFactory(personal=True, organization__name="Architectes")


def decide(member, *, given, actor=None):
    actor = actor or Actor.of_person(member.user)
    return decide_call_detail(actor=actor, organization=member.organization, given=given)


def page(member):
    return reverse("me:call_detail", args=[member.organization.slug])


def decisions(member):
    return list(CallDetailConsent.objects.filter(member=member).order_by("pk").values_list("given", flat=True))


def test_nobody_sees_whom_a_personal_member_calls_until_they_agree(member):
    assert not may_see_call_detail(member)

    assert decide(member, given=True)

    assert may_see_call_detail(member)
    assert AuditEntry.objects.filter(action="consent.given", subject_member=member, actor_member=member).count() == 1


def test_what_was_agreed_is_taken_back_at_any_time_and_both_stay_known(member):
    decide(member, given=True)
    between = database_now()

    assert decide(member, given=False)

    assert not may_see_call_detail(member)
    assert may_see_call_detail(member, at=between)
    assert decisions(member) == [True, False]


def test_the_same_decision_again_is_none(member):
    assert not decide(member, given=False)
    decide(member, given=True)
    assert not decide(member, given=True)

    assert decisions(member) == [True]
    assert AuditEntry.objects.filter(action__startswith="consent.").count() == 1


def test_a_business_account_needs_no_consent_and_gives_none():
    member = MemberFactory()

    assert may_see_call_detail(member)
    with pytest.raises(NoConsentNeeded):
        decide(member, given=True)
    with pytest.raises(DatabaseError, match="owner of a personal account"), transaction.atomic():
        CallDetailConsent.objects.create(organization=member.organization, member=member, given=True)


def test_reports_ask_for_many_at_once_and_of_one_organization(member, django_assert_num_queries):
    others = [MemberFactory(organization=member.organization, personal=True) for _number in range(3)]
    business = MemberFactory(organization=member.organization)
    decide(others[0], given=True)
    decide(others[1], given=True)
    decide(others[1], given=False)

    with django_assert_num_queries(1):
        shown = set(with_call_detail(Member.objects.of(member.organization)))

    assert shown == {others[0], business}


def test_no_administrator_decides_for_somebody_else(member):
    admin = MemberFactory(organization=member.organization, admin=True)

    with pytest.raises(NoConsentNeeded):
        decide(member, given=True, actor=Actor.of_member(admin))
    for stranger in (Actor.of_person(UserFactory()), Actor.system(), Actor.visitor()):
        with pytest.raises(PermissionDenied):
            decide(member, given=True, actor=stranger)

    assert decisions(member) == []


def test_a_decision_is_neither_changed_nor_deleted(member):
    decide(member, given=True)

    for statement in (lambda rows: rows.update(given=False), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            statement(CallDetailConsent.objects.all())


def test_a_consent_of_another_organization_is_refused_by_the_database(member):
    with pytest.raises(DatabaseError), transaction.atomic():
        CallDetailConsent.objects.create(organization=OrganizationFactory(), member=member, given=True)
        transaction.get_connection().check_constraints()


def test_whoever_is_blocked_takes_it_back_and_does_not_give_it(member):
    decide(member, given=True)
    Member.objects.filter(pk=member.pk).update(state="blocked")

    assert decide(member, given=False)
    with pytest.raises(StateForbids):
        decide(member, given=True)


def test_leaving_takes_it_back(member):
    decide(member, given=True)

    leave_organization(actor=Actor.of_person(member.user), organization=member.organization)

    assert not may_see_call_detail(member)
    assert decisions(member) == [True, False]
    assert AuditEntry.objects.filter(action="consent.withdrawn", subject_member=member).count() == 1


def test_a_decision_that_is_not_in_the_log_is_found(member):
    CallDetailConsent.objects.create(organization=member.organization, member=member, given=True)

    assert "1 decisions about call detail are not in the log." in [found.message for found in find_violations()]


# Pages


def test_the_person_agrees_and_takes_it_back_on_their_page(client, member):
    client.force_login(member.user)
    assert "Its administrators don’t see whom you call." in client.get("/me/").text

    shown = client.post(page(member), {"given": "yes"}, follow=True)
    assert "Administrators of Architectes may see whom you call." in shown.text
    assert "You agreed" in shown.text
    assert "Its administrators see whom you call: you agreed." in client.get("/me/").text

    shown = client.post(page(member), {"given": "no"}, follow=True)
    assert "Took it back" in shown.text
    assert decisions(member) == [True, False]


def test_nothing_but_a_yes_agrees(client, member):
    client.force_login(member.user)

    client.post(page(member), {})
    client.post(page(member), {"given": "on"})

    assert decisions(member) == []


def test_a_business_account_reads_that_the_company_sees_its_calls(client):
    member = MemberFactory(organization__name="Architectes")
    client.force_login(member.user)

    assert "Your account belongs to Architectes" in client.get(page(member)).text
    assert client.post(page(member), {"given": "yes"}).status_code == 422


def test_the_page_of_somebody_elses_organization_is_not_found(client, member):
    client.force_login(UserFactory())

    assert client.get(page(member)).status_code == 404
    assert client.post(page(member), {"given": "yes"}).status_code == 404


def test_administrators_read_the_state_and_cannot_change_it(client, member):
    admin = MemberFactory(organization=member.organization, admin=True)
    client.force_login(admin.user)
    profile = reverse("members:member_profile", args=[member.organization.slug, member.user.skype_name])
    assert "Hidden: they have not agreed to it. Only they can." in client.get(profile).text

    client.post(profile, {"department": "", "call_detail": "on", "given": "yes"})
    assert decisions(member) == []

    decide(member, given=True)
    assert "Visible: they agreed to it." in client.get(profile).text


@pytest.fixture
def invitation():
    admin = MemberFactory(admin=True, organization__name="Architectes")
    actor = Actor.of_member(admin)
    organization = admin.organization
    [invited] = invite_personal(actor=actor, organization=organization, people=["ines@home.example"], key=uuid4())
    return Invitation.objects.get(pk=invited.pk)


@pytest.mark.parametrize(("answers", "shown"), [({}, False), ({"call_detail": "on"}, True)])
def test_whoever_joins_with_their_account_decides_by_a_box_that_is_not_ticked(client, invitation, answers, shown):
    user = UserFactory()
    client.force_login(user)
    path = f"/join/{invitation_token(invitation)}/"
    form = client.get(path).text
    assert "Administrators of Architectes may see whom I call" in form
    assert "checked" not in form

    client.post(f"{path}accept/", answers)

    assert may_see_call_detail(Member.objects.get(user=user)) == shown


def test_whoever_makes_an_account_decides_there(client, invitation):
    path = f"/join/{invitation_token(invitation)}/"
    facts = {"skype_name": "ines.moreau", "first_name": "Ines", "password": "a very long sentence of mine"}

    client.post(f"{path}accept/", {**facts, "call_detail": "on"})

    assert may_see_call_detail(Member.objects.get(user__skype_name="ines.moreau"))
