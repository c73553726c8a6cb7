"""Change addresses: a file of old and new addresses, shown, and then carried out for all rows or for none."""

import csv
import json
from io import BytesIO, StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from members import batches
from members.access import Actor
from members.address_file import open_addresses
from members.address_rows import sentence
from members.errors import BatchNotOpen, KeyReused, NoNewAddress, RowsNeedCorrection
from members.models import AuditEntry, Batch, Invitation, Letter, Member
from members.readdressing import rows_to_change
from members.services.addresses import change_addresses, discard_addresses, review_addresses
from members.services.invitations import cancel_invitations, change_invited_address, invite_personal
from members.services.run_work import advance_run
from members.tokens import invitation_token
from skypemgr.csv_files import UnreadableFile
from skypemgr.invariants import find_violations
from tests.factories import InvitationFactory, MemberFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return MemberFactory(admin=True, organization__name="Architectes", organization__slug="architectes")


@pytest.fixture
def acting(admin):
    return {"actor": Actor.of_member(admin), "organization": admin.organization}


@pytest.fixture
def console(client, admin):
    client.force_login(admin.user)
    return client


@pytest.fixture
def invited(admin):
    def invite(email, **facts):
        member = MemberFactory(organization=admin.organization, invited=True, email=email, user__email=email, **facts)
        return InvitationFactory(member=member, email=email)

    return invite


@pytest.fixture
def review(acting):
    def read(*lines, key=None, names="Old address,New address"):
        content = "\n".join([names, *lines]).encode()
        return review_addresses(**acting, content=content, file_name="new.csv", key=key or uuid4())

    return read


def told(batch):
    return {
        row.number: [sentence(entry) for entry in [*row.problems, *row.notes]]
        for row in batch.rows.order_by("number")
        if row.problems or row.notes
    }


def url(name, *args):
    return reverse(f"members:{name}", args=["architectes", *args])


def link(invitation):
    return f"/join/{invitation_token(Invitation.objects.get(pk=invitation.pk))}/"


def addresses():
    return set(Invitation.objects.values_list("email", flat=True))


# What the file says


@pytest.mark.parametrize(
    "content",
    [
        "Old address,New address\nold@a.example,new@a.example",
        "New e-mail;E-mail\nnew@a.example;old@a.example",
        "Ancienne adresse\tNouvelle adresse\nold@a.example\tnew@a.example",
        "Namn;Gammal e-post;Ny e-postadress\nAnna;old@a.example;new@a.example",
        "old@a.example, new@a.example",
        "Skype Name,E-mail,State,New address\n'anna,old@a.example,Bounced,new@a.example",
    ],
)
def test_the_columns_are_found_by_what_people_call_them(content):
    [row] = open_addresses(BytesIO(content.encode()), limit_rows=10).rows()
    assert (row.old, row.new) == ("old@a.example", "new@a.example")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("E-mail\na@a.example", "One column must hold the old addresses, and one the new ones."),
        ("New address\na@a.example", "One column must hold the old addresses, and one the new ones."),
        ("a@a.example\nb@a.example", "One column must hold the old addresses, and one the new ones."),
        ("E-mail,New address,New e-mail\na@a.example,b@a.example,", "Two columns hold new addresses."),
    ],
)
def test_a_file_that_does_not_say_which_address_is_which_is_refused(acting, content, words):
    with pytest.raises(UnreadableFile) as refusal:
        review_addresses(**acting, content=content.encode(), file_name="a.csv", key=uuid4())
    assert words in str(refusal.value)
    assert not Batch.objects.exists()


def test_everything_that_is_wrong_stands_at_its_row(admin, acting, invited, review):
    invited("anna@a.example"), invited("bo@a.example"), invited("boss@a.example", role="administrator")
    done = invited("done@a.example")
    cancel_invitations(**acting, invitations=[done.pk])
    MemberFactory(organization=admin.organization, email="taken@a.example")
    UserFactory(skype_name="ines.moreau", email="secret@home.example", kind="personal")
    invite_personal(**acting, people=["ines.moreau"], key=uuid4())

    batch = review(
        "nobody@a.example,x1@a.example",
        "done@a.example,x2@a.example",
        "no address,x3@a.example",
        "anna@a.example,not one",
        "bo@a.example,TAKEN@a.example",
        "bo@a.example,x4@a.example",
        "anna@a.example,Anna@a.example",
        "secret@home.example,x5@a.example",
        "anna@a.example,",
        "boss@a.example,bo@a.example",
        "boss@a.example,x4@a.example",
        ",x6@a.example",
    )

    assert told(batch) == {
        1: ["There is no invitation to nobody@a.example."],
        2: ["The invitation to done@a.example was already accepted, declined or canceled."],
        3: ["Not an e-mail address: it has no @."],
        4: ["Not an e-mail address: it has no @."],
        5: ["Somebody in this organization already has the address TAKEN@a.example."],
        6: ["The same invitation as in row 5."],
        7: ["The same invitation as in row 4.", "The new address is the old one."],
        # Asked by Skype Name: where their letters go is theirs to tell.
        8: ["There is no invitation to secret@home.example."],
        9: ["No new address. Nothing will be done."],
        10: ["Somebody in this organization already has the address bo@a.example."],
        11: ["The same invitation as in row 10.", "The same new address as in row 6."],
        12: ["Enter an e-mail address."],
    }
    with pytest.raises(RowsNeedCorrection):
        change_addresses(**acting, batch=batch)
    assert not Letter.objects.filter(email__startswith="x").exists()


def test_whoever_manages_members_does_not_move_the_invitation_of_an_administrator(admin, invited):
    invited("boss@a.example", role="administrator")
    manager = MemberFactory(organization=admin.organization, role="members_manager")
    acting = {"actor": Actor.of_member(manager), "organization": admin.organization}

    content = b"boss@a.example,mine@a.example"
    batch = review_addresses(**acting, content=content, file_name="", key=uuid4())

    assert told(batch) == {1: ["boss@a.example is invited to a role that is above yours."]}


def test_invitations_of_other_organizations_are_unknown(review):
    InvitationFactory(email="foreign@a.example", member=MemberFactory(invited=True, email="foreign@a.example"))
    assert told(review("foreign@a.example,mine@a.example")) == {1: ["There is no invitation to foreign@a.example."]}


# What comes of it


def test_all_invitations_go_to_their_new_addresses_and_old_links_die(client, admin, acting, invited, review):
    first = invited("old1@a.example")
    [second] = invite_personal(**acting, people=["old2@a.example"], key=uuid4())
    left = invited("left@a.example")
    dead, dead_too, alive = link(first), link(second), link(left)
    batch = review("OLD1@a.example,New1@a.example", "old2@a.example,new2@a.example", "left@a.example,")

    done = change_addresses(**acting, batch=batch)

    assert (done.state, done.total, Batch.objects.get(pk=batch.pk).state) == ("done", 2, "done")
    assert addresses() == {"New1@a.example", "new2@a.example", "left@a.example"}
    member = Member.objects.select_related("user").get(pk=first.member.pk)
    assert (member.email, member.user.email, member.user.email_verified_at) == ("New1@a.example",) * 2 + (None,)
    assert "new1@a.example" in member.search_text
    waiting = Letter.objects.filter(state="waiting", invitation__in=[first.pk, second.pk])
    assert sorted(one.email for one in waiting) == ["New1@a.example", "new2@a.example"]
    logged = AuditEntry.objects.filter(action="address.changed")
    assert sorted((entry.subject_type, entry.subject_id) for entry in logged) == sorted(
        [("member", first.member.pk), ("invitation", second.pk)]
    )
    assert [client.get(path).status_code for path in (dead, dead_too, alive)] == [410, 410, 200]
    assert [client.get(link(one)).status_code for one in (first, second)] == [200, 200]
    assert list(batch.rows.order_by("number").values_list("number", "outcome")) == [(1, "done"), (2, "done")]
    assert not [one for one in find_violations() if one.invariant != "members.changes_are_in_the_log"]
    # A second click.
    assert change_addresses(**acting, batch=batch).state == "done"
    assert logged.count() == 2


def test_an_address_can_be_changed_back_by_a_file(acting, invited, review):
    invited("a@a.example")
    for line in ("a@a.example,b@a.example", "b@a.example,a@a.example", "a@a.example,b@a.example"):
        assert change_addresses(**acting, batch=review(line)).state == "done"
    assert addresses() == {"b@a.example"}


def test_the_same_key_reads_a_file_once(review, invited):
    invited("a@a.example")
    key = uuid4()
    assert review("a@a.example,b@a.example", key=key) == review("a@a.example,b@a.example", key=key)
    with pytest.raises(KeyReused):
        review("a@a.example,c@a.example", key=key)


def test_a_file_without_a_new_address_changes_nothing(acting, invited, review):
    invited("a@a.example")
    with pytest.raises(NoNewAddress):
        change_addresses(**acting, batch=review("a@a.example,"))


def test_a_file_that_was_given_up_is_not_carried_out(acting, invited, review):
    invited("a@a.example")
    batch = review("a@a.example,b@a.example")
    discard_addresses(**acting, batch=batch)
    for service in (change_addresses, discard_addresses):
        with pytest.raises(BatchNotOpen):
            service(**acting, batch=batch)


def _cancel(acting, invitation):
    cancel_invitations(**acting, invitations=[invitation.pk])


def _take(acting, invitation):
    MemberFactory(organization=acting["organization"], email="new1@a.example")


def _move_and_replace(acting, invitation):
    """Another invitation waits at the old address by now."""
    change_invited_address(**acting, member=invitation.member, email="elsewhere@a.example")
    invite_personal(**acting, people=["old1@a.example"], key=uuid4())


@pytest.mark.parametrize("meanwhile", [_cancel, _take, _move_and_replace])
def test_what_changed_since_the_review_is_shown_before_anything_happens(acting, invited, review, meanwhile):
    first = invited("old1@a.example")
    invited("old2@a.example")
    batch = review("old1@a.example,new1@a.example", "old2@a.example,new2@a.example")
    meanwhile(acting, first)

    assert change_addresses(**acting, batch=batch).state == "draft"

    assert not Invitation.objects.filter(email__startswith="new").exists()
    assert told(batch) or {row.invitation_id for row in rows_to_change(batch)} != {first.pk}


# Many


@pytest.fixture
def many(monkeypatch):
    monkeypatch.setattr(batches, "AT_ONCE", 1)


def test_many_are_changed_behind_the_pages_all_at_one_moment(acting, invited, review, many):
    invited("old1@a.example"), invited("old2@a.example")
    batch = change_addresses(
        **acting, batch=review("old1@a.example,new1@a.example", "old2@a.example,new2@a.example", "x@a.example,")
    )
    assert (batch.state, batch.total) == ("running", 2)
    assert addresses() == {"old1@a.example", "old2@a.example"}

    advance_run(batch)

    batch.refresh_from_db()
    assert batch.state == "done"
    assert addresses() == {"new1@a.example", "new2@a.example"}
    assert AuditEntry.objects.filter(action="address.changed").count() == 2


@pytest.mark.parametrize("meanwhile", [_cancel, _take])
def test_of_many_none_is_changed_when_one_has_changed_since(console, acting, invited, review, many, meanwhile):
    first = invited("old1@a.example")
    invited("old2@a.example")
    batch = change_addresses(**acting, batch=review("old1@a.example,new1@a.example", "old2@a.example,new2@a.example"))
    meanwhile(acting, first)

    advance_run(batch)

    batch.refresh_from_db()
    assert (batch.state, batch.facts["stopped"]) == ("canceled", "InvitationsChanged")
    assert addresses() == {"old1@a.example", "old2@a.example"}
    assert "No address was changed." in console.get(url("run_detail", batch.pk)).text


def test_thousands_take_as_many_statements_as_a_few(acting, invited, review, django_assert_max_num_queries):
    lines = [f"old{number}@a.example,new{number}@a.example" for number in range(60)]
    for number in range(60):
        invited(f"old{number}@a.example")
    batch = review(*lines)
    with django_assert_max_num_queries(50):
        change_addresses(**acting, batch=batch)
    assert all(address.startswith("new") for address in addresses())


# The pages


def test_pasted_lines_are_shown_and_then_changed(console, invited):
    invited("old@a.example")
    assert url("addresses_add") in console.get(url("invitation_list")).text
    page = console.post(url("addresses_add"), {"lines": "old@a.example, new@a.example", "key": uuid4()}, follow=True)
    assert "1 invitation goes to another address." in page.text
    assert "Change 1 address" in page.text
    batch = page.context["batch"]

    answer = console.post(url("addresses_change", batch.pk), follow=True)

    assert "1 invitation is on its way." in answer.text
    assert "old@a.example → new@a.example" in console.get(url("run_detail", batch.pk), {"show": "changed"}).text


def test_the_page_says_when_others_were_quicker(console, acting, invited, review):
    first = invited("old1@a.example")
    batch = review("old1@a.example,new1@a.example")
    _cancel(acting, first)

    page = console.post(url("addresses_change", batch.pk), follow=True)

    assert "The list has changed in the meantime." in page.text
    assert "Row 1: The invitation to old1@a.example was already accepted, declined or canceled." in page.text
    assert url("addresses_change", batch.pk) not in page.text


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "Choose a file, or paste addresses."),
        ("nothing of use", "One column must hold the old addresses, and one the new ones."),
    ],
)
def test_a_form_without_addresses_is_refused(console, lines, words):
    answer = console.post(url("addresses_add"), {"lines": lines, "key": uuid4()})
    assert answer.status_code == 422
    assert words in answer.text


def test_a_file_that_is_given_up_changes_nothing(console, invited, review):
    invited("old@a.example")
    batch = review("old@a.example,new@a.example")
    page = console.post(url("addresses_discard", batch.pk), follow=True)
    assert "No address was changed. The file is given up." in page.text
    assert "This file was given up." in console.get(url("addresses_review", batch.pk)).text


def test_the_file_of_a_tab_is_filled_in_and_taken_in_again(console, acting, invited):
    invited("old1@a.example"), invited("old2@a.example")
    UserFactory(skype_name="ines.moreau", email="secret@home.example", kind="personal")
    invite_personal(**acting, people=["ines.moreau"], key=uuid4())
    text = console.get(url("invitation_export")).getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(text)))
    for row in rows:
        row["New address"] = "new1@a.example" if row["E-mail"] == "old1@a.example" else ""
    out = StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)

    batch = review_addresses(**acting, content=out.getvalue().encode(), file_name="invitations.csv", key=uuid4())

    assert sorted(batch.rows.values_list("outcome", flat=True)) == ["ready", "skipped", "skipped"]
    change_addresses(**acting, batch=batch)
    assert addresses() == {"new1@a.example", "old2@a.example", "secret@home.example"}
    assert "New address" not in console.get(url("invitation_export"), {"state": "accepted"}).getvalue().decode()


# The command


@pytest.fixture
def command(tmp_path):
    def run(text, *words):
        file, out = tmp_path / "new.csv", StringIO()
        file.write_text(text)
        try:
            call_command(
                "change_invitation_addresses", str(file), *words, "--organization=architectes", "--json", stdout=out
            )
        except CommandError as refusal:
            return json.loads(out.getvalue()), str(refusal)
        return json.loads(out.getvalue()), ""

    return run


def test_the_command_changes_all_addresses_of_a_file(invited, command, many):
    invited("old1@a.example"), invited("old2@a.example")
    text = "old1@a.example,new1@a.example\nold2@a.example,new2@a.example\n"
    told = {"rows": 2, "changed": 0, "skipped": 0, "errors": []}
    assert command(text, "--dry-run") == ({**told, "would_change": 2}, "")
    assert addresses() == {"old1@a.example", "old2@a.example"}
    assert command(text) == ({**told, "changed": 2}, "")
    assert addresses() == {"new1@a.example", "new2@a.example"}


def test_the_command_changes_nothing_when_a_row_is_wrong(invited, command):
    invited("old1@a.example")
    told, refusal = command("old1@a.example,new1@a.example\nold2@a.example,new2@a.example\n")
    assert "Row 2, old: There is no invitation to old2@a.example." in refusal
    assert told["errors"] == [{"row": 2, "field": "old", "message": "There is no invitation to old2@a.example."}]
    assert addresses() == {"old1@a.example"}
    assert Batch.objects.get().state == "canceled"
