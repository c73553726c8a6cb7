"""Whose an account is when: the database keeps one tenure for each member, whoever changes them."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from members.access import Actor
from members.models import Member, Tenure
from members.services.invitations import cancel_invitations, resend_invitations
from members.services.profile import leave_organization
from members.tenures import tenure_at
from tests.factories import InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def test_everybody_who_is_added_has_an_account_from_then_on():
    member = MemberFactory()

    [tenure] = Tenure.objects.filter(member=member)

    assert (tenure.organization, tenure.started_at, tenure.ended_at) == (member.organization, member.created_at, None)


def test_many_added_at_once_have_theirs_by_one_statement(django_assert_num_queries):
    organization = OrganizationFactory()
    users = UserFactory.create_batch(3, business_of=organization)

    with django_assert_num_queries(1):
        people = Member.objects.bulk_create(
            Member(organization=organization, user=user, email=user.email, sort_key="", search_text="")
            for user in users
        )

    assert Tenure.objects.filter(member__in=people, ended_at=None).count() == 3


def test_a_tenure_ends_when_its_person_leaves():
    MemberFactory(admin=True)
    member = MemberFactory(personal=True)

    leave_organization(actor=Actor.of_person(member.user), organization=member.organization)

    [tenure] = member.tenures.all()
    assert tenure.started_at <= tenure.ended_at <= timezone.now()
    assert tenure_at(member, timezone.now() + timedelta(hours=1)) is None
    assert tenure_at(member, tenure.started_at) == tenure


def test_a_tenure_goes_on_when_its_person_comes_back():
    invitation = InvitationFactory()
    facts = {"actor": SYSTEM, "organization": invitation.organization, "invitations": [invitation.pk]}
    MemberFactory(admin=True, organization=invitation.organization)

    cancel_invitations(**facts)
    assert invitation.member.tenures.get().ended_at is not None
    resend_invitations(**facts)

    assert invitation.member.tenures.get().ended_at is None


def test_whoever_is_added_as_one_who_has_left_has_no_open_tenure():
    assert MemberFactory(state=Member.State.LEFT).tenures.get().ended_at is not None


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({}, "tenure_open_once_per_member"),
        ({"started": 0, "ended": 10}, "tenure_one_at_a_time"),
        ({"started": 20, "ended": 19}, "tenure_ends_after_it_started"),
        ({"started": 20, "first_name": "Anna"}, "tenure_names_whoever_had_it"),
    ],
)
def test_the_database_refuses_two_people_at_a_time(changes, constraint):
    member, now = MemberFactory(), timezone.now()
    past = Tenure.objects.create(
        organization=member.organization,
        member=member,
        started_at=now - timedelta(days=9),
        ended_at=now - timedelta(days=2),
    )
    if "ended" not in changes and changes:
        member.tenures.filter(ended_at=None).delete()
    fields = {"started_at": now, "ended_at": None, "first_name": changes.get("first_name", "")}
    if "ended" in changes:
        start = past.started_at + timedelta(hours=changes["started"])
        fields |= {"started_at": start, "ended_at": past.started_at + timedelta(hours=changes["ended"])}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Tenure.objects.create(organization=member.organization, member=member, **fields)


def test_a_tenure_belongs_to_the_organization_of_its_member():
    member, other = MemberFactory(), MemberFactory()

    with pytest.raises(IntegrityError, match="tenure_member_same_organization"), transaction.atomic():
        Tenure.objects.filter(member=member).update(organization=other.organization)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
