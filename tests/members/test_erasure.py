import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from members.access import Actor
from members.audit import Action, record
from members.errors import StateForbids
from members.models import AuditEntry, AuditOrigin, Batch, BatchRow, Invitation, Letter, Member, User
from members.names import is_skype_name
from members.services.erasure import erase_member
from tests.factories import InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

SYSTEM = Actor.system()
NAME = "Zebulon"


@pytest.fixture
def left(db):
    """Somebody who left, and whose name stands wherever it can."""
    member = MemberFactory(
        state=Member.State.LEFT,
        user__skype_name="zebulon.quill",
        user__email="zebulon@quill.example",
        user__first_name=NAME,
        user__last_name="Quill",
        job_title="Zebulon’s own title",
    )
    trail(member)
    return member


def trail(member):
    organization, user = member.organization, member.user
    acting = Actor.of_member(member, address="192.0.2.14")
    record(organization=organization, actor=acting, action=Action.MEMBER_JOINED, subject=member)
    invitation = InvitationFactory(
        member=member, organization=organization, user=user, state=Invitation.State.ACCEPTED, kind=user.kind
    )
    for state in (Letter.State.SENT, Letter.State.WAITING):
        Letter.objects.create(
            organization=organization,
            kind=Letter.Kind.INVITATION,
            user=user,
            member=member,
            invitation=invitation,
            email=user.email,
            state=state,
            last_error=f"550 {user.email} unknown",
        )
    batch = Batch.objects.create(organization=organization, kind=Batch.Kind.IMPORT_MEMBERS, state=Batch.State.DONE)
    for number, subject in enumerate((member, None), 1):
        BatchRow.objects.create(
            organization=organization,
            batch=batch,
            number=number,
            data={"email": user.email, "first_name": NAME},
            notes=[{"code": "skype_name_changed", "facts": {"given": NAME}}],
            outcome=BatchRow.Outcome.DONE,
            match_key=user.email,
            member=subject,
        )


def everything_stored():
    """Every value of every row of ours, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("members_"):
                cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
                yield from (str(row) for row in cursor.fetchall())


def erase(member, actor=SYSTEM):
    return erase_member(actor=actor, organization=member.organization, member=member)


def test_nothing_of_an_erased_person_can_be_found_anywhere(left):
    assert any("zebulon" in row.casefold() for row in everything_stored())

    erase(left)

    assert not [row for row in everything_stored() if "zebulon" in row.casefold() or "quill" in row.casefold()]
    assert not AuditOrigin.objects.exists()


def test_an_erased_account_is_a_valid_nobody_and_the_log_stays(left):
    erased = erase(left)

    user = User.objects.get(pk=left.user_id)
    assert user.skype_name == user.display_name == f"erased-{user.pk}"
    assert is_skype_name(user.skype_name)
    assert not user.is_active
    assert not user.has_usable_password()
    assert user.erased_at is not None
    assert erased.search_text == user.skype_name
    entries = AuditEntry.objects.order_by("id")
    assert [entry.action for entry in entries] == [Action.MEMBER_JOINED, Action.MEMBER_ERASED]
    assert {entry.subject_member_id for entry in entries} == {left.pk}


def test_letters_of_an_erased_person_are_empty_and_none_leaves(left):
    erase(left)

    assert set(Letter.objects.values_list("email", "last_error")) == {("", "")}
    assert not Letter.objects.filter(state=Letter.State.WAITING).exists()


def test_a_row_of_somebody_else_stays(left):
    other = BatchRow.objects.create(
        organization=left.organization,
        batch=Batch.objects.get(),
        number=9,
        data={"email": "else@quiet.example"},
        outcome=BatchRow.Outcome.DONE,
        match_key="else@quiet.example",
    )

    erase(left)

    other.refresh_from_db()
    assert other.data == {"email": "else@quiet.example"}


def test_erasing_twice_changes_nothing_more(left):
    erase(left)
    erase(Member.objects.get(pk=left.pk))

    assert AuditEntry.objects.filter(action=Action.MEMBER_ERASED).count() == 1


def test_a_name_that_looks_erased_already_does_not_stand_in_the_way(left):
    UserFactory(skype_name=f"erased-{left.user_id}")

    assert erase(left).user.skype_name == f"erased-{left.user_id}.2"


def test_a_personal_account_goes_on_and_only_the_membership_forgets_it(db):
    member = MemberFactory(
        state=Member.State.LEFT, personal=True, user__first_name=NAME, user__email="zebulon@quill.example"
    )
    elsewhere = MemberFactory(user=member.user)
    trail(member)
    person = member.user

    erase(member)

    member.refresh_from_db()
    person.refresh_from_db()
    assert (person.first_name, person.email, person.is_active) == (NAME, "zebulon@quill.example", True)
    assert (member.user.kind, member.user.is_active, member.email) == ("personal", False, "")
    assert member.user.display_name == member.user.skype_name == f"erased-m{member.pk}"
    elsewhere.refresh_from_db()
    assert elsewhere.user == person
    assert not Letter.objects.filter(user=person).exists()
    assert not Invitation.objects.filter(user=person).exists()
    assert not BatchRow.objects.exclude(data={}).exists()


@pytest.mark.parametrize("state", [Member.State.INVITED, Member.State.ACTIVE, Member.State.BLOCKED])
def test_a_present_member_is_not_erased(db, state):
    member = MemberFactory(state=state)

    with pytest.raises(StateForbids):
        erase(member)
    member.user.refresh_from_db()
    assert member.user.first_name == "Robin"


def test_only_who_manages_members_of_that_organization_erases(left):
    viewer = Actor.of_member(MemberFactory(organization=left.organization, role=Member.Role.REPORTS_VIEWER))
    stranger = Actor.of_member(MemberFactory(admin=True))
    manager = Actor.of_member(MemberFactory(organization=left.organization, role=Member.Role.MEMBERS_MANAGER))

    for actor in (viewer, stranger):
        with pytest.raises(PermissionDenied):
            erase(left, actor)
    with pytest.raises(PermissionDenied):
        erase_member(actor=SYSTEM, organization=OrganizationFactory(), member=left)
    Member.objects.filter(pk=left.pk).update(role=Member.Role.ADMINISTRATOR)
    with pytest.raises(PermissionDenied):
        erase(left, manager)
    Member.objects.filter(pk=left.pk).update(role=Member.Role.MEMBER)
    erase(left, manager)
