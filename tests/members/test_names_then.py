"""Pages name whoever had a business account when something was done, not who has it now."""

import io
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.access import Actor
from members.letter_texts import compose
from members.models import Batch, Invitation, Letter, Member
from members.services import imports
from members.services.hand_over import hand_over
from members.services.import_work import advance_to_the_end
from members.services.run_work import advance_run
from members.services.runs import start_run
from members.tokens import invitation_token
from tests.factories import ApiTokenFactory, InvitationFactory, MemberFactory, OrganizationFactory

SYSTEM = Actor.system()


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def anna(organization, client):
    """Anna, an administrator; somebody else who is one looks."""
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    return MemberFactory(
        organization=organization,
        admin=True,
        user__first_name="Anna",
        user__last_name="Berg",
        user__skype_name="anna.berg",
    )


def give(member, name="Bert", last_name="Lind"):
    return hand_over(
        actor=SYSTEM,
        organization=member.organization,
        member=member,
        email=f"{name.lower()}@people.example",
        first_name=name,
        last_name=last_name,
        key=uuid4(),
    )


def take_in(anna):
    batch = imports.start_import_of_file(
        actor=Actor.of_member(anna),
        organization=anna.organization,
        content=io.BytesIO(b"E-mail,First name,Last name\ncleo@people.example,Cleo,Dahl\n"),
        file_name="people.csv",
        key=uuid4(),
    )
    advance_to_the_end(batch)
    batch = imports.start_batch(actor=Actor.of_member(anna), organization=anna.organization, batch=batch)
    advance_to_the_end(batch)
    return batch


def page(client, name, *args):
    response = client.get(reverse(f"members:{name}", args=["acme", *args]))
    assert response.status_code == 200
    return response.text


def test_an_import_names_whoever_started_it_and_whom_it_made(client, anna):
    batch = take_in(anna)
    cleo = Member.objects.get(email="cleo@people.example")
    Member.objects.filter(pk=cleo.pk).update(state="active")
    cleo.refresh_from_db()
    give(anna)
    give(cleo, "Dora", "Ek")

    assert "<bdi>Anna Berg</bdi>" in page(client, "import_list")
    outcome = client.get(reverse("members:import_detail", args=["acme", batch.pk]) + "?show=all").text
    assert "<bdi>Anna Berg</bdi>" in outcome
    assert "Cleo Dahl" in outcome
    assert "Dora Ek" not in outcome


def test_a_change_of_many_names_whoever_started_it_and_whom_it_was_about(client, anna):
    cleo = MemberFactory(organization=anna.organization, user__first_name="Cleo", user__last_name="Dahl")
    batch = run_about(anna, [cleo])
    give(anna)
    give(cleo, "Dora", "Ek")

    assert "<bdi>Anna Berg</bdi>" in page(client, "run_list")
    detail = client.get(reverse("members:run_detail", args=["acme", batch.pk]) + "?show=all").text
    assert "<bdi>Anna Berg</bdi>" in detail
    assert "Cleo Dahl" in detail
    file = client.get(reverse("members:run_outcome", args=["acme", batch.pk])).getvalue().decode()
    assert "Cleo Dahl" in file
    assert "Dora Ek" not in detail + file


def run_about(anna, members):
    batch = start_run(
        organization=anna.organization,
        actor=Actor.of_member(anna),
        kind=Batch.Kind.MOVE_MEMBERS,
        members=Member.objects.filter(pk__in=[member.pk for member in members]),
        facts={"department": None, "path": ""},
        expected=len(members),
        key=uuid4(),
    )
    advance_run(batch)
    return batch


def test_a_token_names_whoever_made_it(client, anna):
    ApiTokenFactory(organization=anna.organization, made_by=anna)

    give(anna)

    assert "<bdi>Anna Berg</bdi>" in page(client, "api_token_list")


def test_an_invitation_names_whoever_sent_it(anna):
    invitation = InvitationFactory(member__organization=anna.organization, invited_by=anna)
    letter = Letter(organization=anna.organization, kind="invitation", invitation=invitation, email="x@people.example")

    assert (
        "Tell Anna" in Client().get(reverse("join:invitation", args=[invitation_token(invitation)]), follow=True).text
    )
    give(anna)
    invitation = Invitation.objects.select_related("invited_by__user").get(pk=invitation.pk)
    letter.invitation = invitation

    joining = Client().get(reverse("join:invitation", args=[invitation_token(invitation)]), follow=True).text
    assert "Anna Berg" in joining
    # Anna is told nothing any more, and Bert knows of nothing.
    assert "Tell Acme" in joining
    assert "Bert" not in joining
    assert compose(letter).context["inviter"] == "Anna Berg"


def test_the_list_of_invitations_names_whoever_answered(client, anna):
    accepted = InvitationFactory(
        member=anna, organization=anna.organization, state="accepted", closed_at=anna.created_at, email="a@x.example"
    )
    give(anna)
    url = reverse("members:invitation_list", args=["acme"])

    assert "Anna Berg" in client.get(url + "?state=accepted").text
    waiting = client.get(url).text
    assert ("Bert Lind" in waiting, "Anna Berg" in waiting) == (True, False)
    file = client.get(reverse("members:invitation_export", args=["acme"]) + "?state=accepted").getvalue().decode()
    assert ("Anna Berg" in file, "Bert Lind" in file) == (True, False)
    assert accepted.member_name


def test_predecessors_cost_no_query_for_each_row(client, anna):
    for number in range(5):
        member = MemberFactory(organization=anna.organization, admin=True)
        ApiTokenFactory(organization=anna.organization, made_by=member)
        give(member, f"New{number}")
    asked = queries_of(client)

    for number in range(5):
        member = MemberFactory(organization=anna.organization, admin=True)
        ApiTokenFactory(organization=anna.organization, made_by=member)
        give(member, f"Other{number}")

    assert queries_of(client) == asked


def queries_of(client):
    with CaptureQueriesContext(connection) as queries:
        page(client, "api_token_list")
        page(client, "invitation_list")
    return len(queries)
