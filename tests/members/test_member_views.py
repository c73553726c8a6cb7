"""The page of one member."""

from urllib.parse import quote

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.errors import OwnAddress, StateForbids
from members.letter_texts import compose
from members.models import AuditEntry, Invitation, Letter, Member, User
from members.services.members import block_members, change_member, unblock_member
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory
from tests.members.signing_in import forget_proof

Role, State = Member.Role, Member.State


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


@pytest.fixture
def ann(organization):
    return MemberFactory(
        organization=organization,
        user__skype_name="ann.berg",
        user__first_name="Ann",
        user__last_name="Berg",
        department=DepartmentFactory(organization=organization, name="Sales"),
    )


def url(name, member):
    return reverse(f"members:{name}", args=["acme", member.user.skype_name])


def profile_of(member, **changes):
    department = member.department_id or "none"
    return {
        "first_name": member.user.first_name,
        "last_name": member.user.last_name,
        "department": department,
        "email": member.email,
    } | changes


def sign_in(member):
    client = Client()
    client.force_login(member.user)
    return client


def opens(client, organization):
    return client.get(reverse("members:member_list", args=[organization.slug])).status_code == 200


# Profile


def test_the_page_shows_who_it_is_in_a_frame_of_tabs(client, boss, ann):
    response = client.get(url("member_profile", ann))

    for text in ("Ann Berg", "ann.berg", "Sales", "Business account", "Active", ann.email):
        assert text in response.text
    assert [str(label) for label, _url, _current in response.context["tabs"]] == [
        "Profile",
        "Credit",
        "Features",
        "Usage",
        "History",
    ]
    assert f'href="{url("member_history", ann)}"' in response.text


def test_a_skype_name_is_found_in_any_case_and_linked_in_its_own(client, boss, ann):
    response = client.get(reverse("members:member_profile", args=["acme", "ANN.Berg"]))

    assert response.status_code == 200
    assert 'href="/acme/members/@ANN.Berg/' not in response.text
    assert 'href="/acme/members/@ann.berg/' in response.text


@pytest.mark.parametrize(
    "name", ["nobody.here", "x", "0", "%00".replace("%00", "~"), "a" * 500, "éé", "..", "ann.berg%20"]
)
def test_a_name_nobody_has_is_not_found(client, boss, ann, name):
    assert client.get(f"/acme/members/@{name}/").status_code == 404


def test_names_and_department_are_saved(client, boss, ann):
    response = client.post(
        url("member_profile", ann), profile_of(ann, first_name="Anna", department="none"), follow=True
    )

    assert "The profile is saved." in response.text
    ann = Member.objects.get(pk=ann.pk)
    assert (ann.user.first_name, ann.department) == ("Anna", None)


@pytest.mark.parametrize("name", ["http://evil.example/win", "\u200b", "a" * 101, "bell\x07"])
def test_a_name_that_cannot_be_kept_is_refused_next_to_its_field(client, boss, ann, name):
    response = client.post(url("member_profile", ann), profile_of(ann, first_name=name))

    assert response.status_code == 422
    assert "error-summary" in response.text
    ann.user.refresh_from_db()
    assert ann.user.first_name == "Ann"


def test_a_department_of_another_organization_is_not_on_offer(client, boss, ann):
    response = client.post(url("member_profile", ann), profile_of(ann, department=DepartmentFactory().pk))

    assert response.status_code == 422


def test_the_names_of_a_personal_account_are_not_offered(client, organization, boss):
    member = MemberFactory(organization=organization, personal=True)
    sales = DepartmentFactory(organization=organization)

    page = client.get(url("member_profile", member))
    sent = {"first_name": "Other", "language": "sv", "department": sales.pk, "email": member.email}
    saved = client.post(url("member_profile", member), sent)

    assert 'name="first_name"' not in page.text
    assert saved.status_code == 302
    member = Member.objects.get(pk=member.pk)
    assert (member.user.first_name, member.user.language, member.department) == ("Robin", "", sales)


def test_a_job_title_stands_under_the_name_and_in_the_exports_of_everybody(client, boss, ann):
    client.post(url("member_profile", ann), profile_of(ann, job_title="  Head of sales "))

    assert Member.objects.get(pk=ann.pk).job_title == "Head of sales"
    assert "Head of sales" in client.get(url("member_profile", ann)).text
    assert AuditEntry.objects.get().after == {"fields": ["job_title"]}


@pytest.mark.parametrize("title", ["http://evil.example/win", "\u200b", "a" * 101, "bell\x07", "a\u202eb"])
def test_a_job_title_that_cannot_be_kept_is_refused_next_to_its_field(client, boss, ann, title):
    response = client.post(url("member_profile", ann), profile_of(ann, job_title=title))

    assert response.status_code == 422
    assert 'href="#id_job_title"' in response.text
    assert Member.objects.get(pk=ann.pk).job_title == ""


def test_the_language_of_a_business_account_is_set_for_its_pages_and_letters(client, boss, ann):
    client.post(url("member_profile", ann), profile_of(ann, language="sv"))

    assert Member.objects.get(pk=ann.pk).user.language == "sv"
    assert client.post(url("member_profile", ann), profile_of(ann, language="xx")).status_code == 422


# Address


def test_the_address_of_a_business_account_changes_at_once_and_both_are_told(client, boss, ann):
    old = ann.email
    User.objects.filter(pk=ann.user_id).update(email_verified_at=timezone.now())

    response = client.post(url("member_profile", ann), profile_of(ann, email="ann@new.example"), follow=True)

    assert "The profile is saved." in response.text
    ann = Member.objects.select_related("user").get(pk=ann.pk)
    assert (ann.email, ann.user.email, ann.user.email_verified_at) == ("ann@new.example", "ann@new.example", None)
    assert "ann@new.example" in ann.search_text
    letters = dict(Letter.objects.values_list("kind", "email"))
    assert letters == {"address_changed": old, "address_verification": "ann@new.example"}
    said = render_to_string("mail/address_changed.txt", compose(Letter.objects.get(kind="address_changed")).context)
    assert f"An administrator of {boss.organization.name} changed it." in said
    assert "It wasn’t you?" not in said
    assert AuditEntry.objects.get().action == "address.changed"


def test_a_personal_account_keeps_its_address_when_the_organization_knows_it_by_another(client, organization, boss):
    member = MemberFactory(organization=organization, personal=True)
    own = member.user.email

    client.post(url("member_profile", member), {"department": "none", "email": "work@acme.example"})

    member = Member.objects.select_related("user").get(pk=member.pk)
    assert (member.email, member.user.email) == ("work@acme.example", own)
    assert not Letter.objects.exists()


def test_an_address_somebody_here_has_already_is_refused_next_to_its_field(client, boss, ann):
    response = client.post(url("member_profile", ann), profile_of(ann, email=boss.email.upper(), first_name="Other"))

    assert response.status_code == 422
    assert "Somebody in this organization already has the address" in response.text
    ann = Member.objects.select_related("user").get(pk=ann.pk)
    assert (ann.user.first_name, ann.email) == ("Ann", ann.user.email)
    assert not Letter.objects.exists()


@pytest.mark.parametrize("state", [State.INVITED, State.LEFT])
def test_who_has_not_joined_or_has_left_has_no_address_to_change_here(organization, boss, state):
    member = MemberFactory(organization=organization, state=state)

    with pytest.raises(StateForbids):
        change_member(
            actor=Actor.of_member(boss), organization=organization, member=member, department=None, email="x@y.example"
        )


def test_nobody_changes_their_own_address_without_their_password(client, boss):
    page = client.get(url("member_profile", boss))
    client.post(url("member_profile", boss), profile_of(boss, email="other@acme.example"))

    assert 'name="email"' not in page.text
    assert Member.objects.get(pk=boss.pk).email == boss.email
    with pytest.raises(OwnAddress):
        change_member(
            actor=Actor.of_member(boss),
            organization=boss.organization,
            member=boss,
            department=None,
            email="other@acme.example",
        )


def test_an_address_that_opens_an_account_is_changed_only_after_a_fresh_proof(client, boss, ann):
    forget_proof(client)

    page = client.get(url("member_profile", ann))
    refused = client.post(url("member_profile", ann), profile_of(ann, email="ann@new.example", job_title="Typed"))
    saved = client.post(url("member_profile", ann), profile_of(ann, job_title="Head of sales"))

    assert "readonly" in page.text
    assert f"/accounts/confirm/?next={quote(url('member_profile', ann), safe='')}" in page.text
    assert refused.status_code == 422
    assert 'value="Typed"' in refused.text
    assert saved.status_code == 302
    now = Member.objects.get(pk=ann.pk)
    assert (now.email, now.job_title) == (ann.email, "Head of sales")


@pytest.mark.parametrize("role", [Role.CREDIT_MANAGER, Role.VOICE_MANAGER, Role.REPORTS_VIEWER])
def test_who_only_looks_gets_facts_and_no_form(client, organization, ann, role):
    client.force_login(MemberFactory(organization=organization, role=role).user)

    page = client.get(url("member_profile", ann))

    assert page.status_code == 200
    assert f'action="{url("member_profile", ann)}"' not in page.text
    assert "Block sign-in" not in page.text
    assert client.post(url("member_profile", ann), profile_of(ann)).status_code == 403


def test_a_members_manager_gets_no_form_for_those_above(client, organization, boss):
    client.force_login(MemberFactory(organization=organization, role=Role.MEMBERS_MANAGER).user)

    page = client.get(url("member_profile", boss))

    assert "Save profile" not in page.text
    assert "Save role" not in page.text
    for name, data in (("member_profile", profile_of(boss)), ("member_unblock", {})):
        assert client.post(url(name, boss), data).status_code == 403


# Role


def test_a_role_is_given(client, boss, ann):
    response = client.post(url("member_role", ann), {"role": "voice_manager"}, follow=True)

    assert "Ann Berg now has the role “Voice manager”." in response.text
    ann.refresh_from_db()
    assert ann.role == Role.VOICE_MANAGER


def test_the_last_administrator_keeps_the_role(client, boss):
    response = client.post(url("member_role", boss), {"role": "member"})

    assert response.status_code == 422
    assert "This is the last administrator." in response.text
    boss.refresh_from_db()
    assert boss.role == Role.ADMINISTRATOR


@pytest.mark.parametrize("role", ["emperor", "", "run_installation"])
def test_a_role_that_does_not_exist_is_refused(client, boss, ann, role):
    assert client.post(url("member_role", ann), {"role": role}).status_code == 422


def test_a_members_manager_assigns_no_roles(client, organization, ann):
    client.force_login(MemberFactory(organization=organization, role=Role.MEMBERS_MANAGER).user)

    assert client.post(url("member_role", ann), {"role": "administrator"}).status_code == 403
    ann.refresh_from_db()
    assert ann.role == Role.MEMBER


# Sign-in


def test_blocking_asks_first_and_keeps_the_reason(client, boss, ann):
    assert "is signed out at once" in client.get(url("member_block", ann)).text
    response = client.post(url("member_block", ann), {"reason": "On leave until March"}, follow=True)

    assert "Ann Berg can’t sign in any more." in response.text
    assert "Allow sign-in again" in response.text
    assert AuditEntry.objects.get().reason == "On leave until March"
    response = client.post(url("member_unblock", ann), follow=True)
    assert "Ann Berg can sign in again." in response.text


def test_a_blocked_business_account_is_out_at_once_and_its_sessions_stay_dead(organization):
    member = MemberFactory(organization=organization, role=Role.REPORTS_VIEWER)
    client = sign_in(member)
    assert opens(client, organization)

    block_members(actor=Actor.system(), organization=organization, members=organization.members.all())
    assert not opens(client, organization)
    unblock_member(actor=Actor.system(), organization=organization, member=member)

    assert not opens(client, organization)
    assert opens(sign_in(Member.objects.get(pk=member.pk)), organization)


def test_a_blocked_personal_account_is_out_of_this_organization_only(organization):
    member = MemberFactory(organization=organization, personal=True, role=Role.REPORTS_VIEWER)
    other = MemberFactory(user=member.user, role=Role.REPORTS_VIEWER)
    client = sign_in(member)

    block_members(actor=Actor.system(), organization=organization, members=organization.members.all())

    assert not opens(client, organization)
    assert opens(client, other.organization)


def test_nobody_blocks_themselves(client, boss):
    assert "You can’t block yourself." in client.get(url("member_block", boss)).text
    response = client.post(url("member_block", boss), follow=True)

    assert "was not blocked" in response.text
    boss.refresh_from_db()
    assert boss.state == State.ACTIVE


def test_somebody_who_is_not_blocked_is_not_unblocked(client, boss, ann):
    response = client.post(url("member_unblock", ann), follow=True)

    assert "while the member is in the state" in response.text


# Invited people


def test_an_invited_member_can_be_reached_at_another_address(client, organization, boss):
    invitation = InvitationFactory(member__organization=organization)
    member = invitation.member

    page = client.get(url("member_profile", member))
    assert "Send the invitation again" in page.text
    assert "The link works until" in page.text
    response = client.post(url("member_address", member), {"email": "New.Place@Example.com"}, follow=True)

    assert "The invitation is on its way to" in response.text
    member.refresh_from_db()
    assert member.email.lower() == "new.place@example.com"
    assert Letter.objects.filter(email=member.email).exists()


@pytest.mark.parametrize("email", ["nobody", "", "a@b@c"])
def test_an_address_that_is_none_is_refused(client, organization, boss, email):
    member = InvitationFactory(member__organization=organization).member

    assert client.post(url("member_address", member), {"email": email}).status_code == 422


def test_an_address_somebody_has_is_refused(client, organization, boss, ann):
    member = InvitationFactory(member__organization=organization).member

    response = client.post(url("member_address", member), {"email": ann.email})

    assert response.status_code == 422
    assert "already has the address" in response.text


def test_the_address_of_somebody_who_has_joined_is_changed_in_their_profile(client, boss, ann):
    assert "is changed in their profile" in client.get(url("member_address", ann)).text
    assert client.post(url("member_address", ann), {"email": "x@example.com"}).status_code in (403, 422)
    ann.refresh_from_db()
    assert ann.email != "x@example.com"


# Erasing


def test_who_has_left_is_erased_after_saying_what_goes(client, organization, boss):
    gone = MemberFactory(organization=organization, state=State.LEFT, user__first_name="Zebulon")
    InvitationFactory(member=gone, state=Invitation.State.ACCEPTED)

    assert "can’t be undone" in client.get(url("member_erase", gone)).text
    response = client.post(url("member_erase", gone), follow=True)

    gone = Member.objects.select_related("user").get(pk=gone.pk)
    assert response.redirect_chain[0][0] == url("member_profile", gone)
    assert f"What is left is called {gone.user.skype_name}." in response.text
    assert "Zebulon" not in response.text
    assert "Erase personal data" not in response.text
    assert "is erased already" in client.get(url("member_erase", gone)).text


def test_who_is_present_is_not_erased(client, boss, ann):
    assert "Only people who have left" in client.get(url("member_erase", ann)).text
    response = client.post(url("member_erase", ann), follow=True)

    assert "while the member is in the state" in response.text
    ann.user.refresh_from_db()
    assert ann.user.first_name == "Ann"


# History


def test_the_history_holds_what_was_done_to_this_member_newest_first(client, boss, ann):
    client.post(url("member_role", ann), {"role": "voice_manager"})
    client.post(url("member_profile", ann), profile_of(ann, department="none"))
    client.post(url("member_role", boss), {"role": "administrator"})

    response = client.get(url("member_history", ann))

    actions = [row.action for day in response.context["days"] for row in day.rows]
    assert actions == ["Moved to another department", "Changed a role"]
    assert "<del>Member</del> → <ins>Voice manager</ins>" in response.text
    assert "2 of 2 changes, newest first" in response.text


def test_the_history_is_for_those_who_see_the_log(client, organization, ann):
    client.force_login(MemberFactory(organization=organization, role=Role.MEMBERS_MANAGER).user)

    assert client.get(url("member_history", ann)).status_code == 403
    assert "History" not in client.get(url("member_profile", ann)).text


@pytest.mark.parametrize("query", ["?cursor=x", "?cursor=%01", "?page=9999"])
def test_nonsense_in_the_address_of_the_history_is_ignored(client, boss, ann, query):
    assert client.get(url("member_history", ann) + query).status_code == 200


def test_the_history_costs_as_many_queries_for_twenty_as_for_one(client, boss, ann, django_assert_num_queries):
    client.post(url("member_role", ann), {"role": "voice_manager"})
    with django_assert_num_queries(9):
        client.get(url("member_history", ann))
    for role in ["member", "voice_manager"] * 10:
        client.post(url("member_role", ann), {"role": role})
    with django_assert_num_queries(9):
        client.get(url("member_history", ann))
