"""Somebody leaves with credit, number, licenses and invitations: one step deals with all of it, or with nothing."""

import io
import json
import signal
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from credit.models import RechargePlan
from credit.selectors.balances import balance_of
from members.access import Actor
from members.errors import (
    AdministratorNeeded,
    KeyReused,
    LastAdministrator,
    LeavingChanged,
    NotAChoice,
    OwnLeaving,
    PersonalAccountLeaves,
    StateForbids,
)
from members.leaving import list_left, seal_of, tell_leaving
from members.models import ApiToken, AuditEntry, Invitation, Leaving, Member
from members.services.hand_over import hand_over
from members.services.invitations import cancel_invitations
from skypemgr.clock import database_now
from skypemgr.invariants import find_violations
from telephony.assigning import Pairing
from telephony.assignment_errors import NumberCoolsOff
from telephony.license_errors import KeptWithoutRequired
from telephony.models import NumberAssignment, PhoneNumber
from telephony.services.assignments import assign_numbers
from tests.factories import ApiTokenFactory, InvitationFactory, MemberFactory
from tests.members.signing_in import is_signed_in, sign_in
from tests.telephony.leavers import SYSTEM, equipped, leave
from tests.telephony.licensed import assigning, has

pytestmark = pytest.mark.django_db

LEAVE = """
import django; django.setup()
from uuid import uuid4
from members.access import Actor
from members.models import Member
from members.services.leavers import process_leaver
member = Member.objects.select_related("organization", "user").get(recharge_plan__active=True)
process_leaver(actor=Actor.system(), organization=member.organization, member=member, key=uuid4())
"""


def outcomes(leaving):
    return {line["key"]: line["outcome"] for line in leaving.lines}


def broken():
    """What is wrong beside that nobody was seen to add the people of a test."""
    return [one for one in find_violations() if one.invariant != "members.changes_are_in_the_log"]


def nothing_changed(who):
    who.member.refresh_from_db()
    plan = RechargePlan.objects.get(member=who.member)
    return (
        who.member.state == "active"
        and plan.active
        and NumberAssignment.objects.filter(member=who.member, until=None).exists()
        and has(who.member) == ["calling-plan-domestic", "phone-system"]
        and not Leaving.objects.exists()
    )


def path(who, name="member_leaving", *rest):
    return reverse(f"members:{name}", args=[who.organization.slug, who.member.user.skype_name, *rest])


def as_shown(response):
    """What a browser sends of the form on a page, as it is proposed."""
    form = response.context["form"]
    return {name: form[name].value() for name in form.fields if form[name].value() is not None}


def test_one_step_deals_with_everything_that_somebody_has():
    who = equipped()
    client = Client()
    sign_in(client, who.member.user)
    ApiTokenFactory(organization=who.organization, made_by=who.member)
    held = balance_of(who.organization, who.member)

    leaving = leave(who, reason="Retires")

    who.member.refresh_from_db()
    assert (who.member.state, is_signed_in(Client())) == ("blocked", False)
    assert client.get("/me/").status_code == 302
    assert ApiToken.objects.filter(revoked_at=None).count() == 0
    assert not RechargePlan.objects.get(member=who.member).active
    assert has(who.member) == []
    assert not NumberAssignment.objects.filter(until=None).exists()
    number = PhoneNumber.objects.get(pk=who.number.pk)
    assert number.organization == who.organization
    assert timedelta(days=29) < number.assignable_from - database_now() <= timedelta(days=30)
    assert balance_of(who.organization, who.member) == held == Decimal("20.0000")
    assert outcomes(leaving) == {
        "sign-in": "blocked",
        "credit": "stays",
        "auto-recharge": "stopped",
        "number": "freed",
        "license-phone-system": "ended",
        "license-calling-plan-domestic": "ended",
    }
    assert broken() == []


def test_every_change_stands_in_the_log_of_the_member():
    who = equipped()

    leave(who, actor=Actor.of_member(who.boss), reason="Retires")

    about = AuditEntry.objects.filter(subject_member=who.member, actor_member=who.boss)
    assert sorted(about.values_list("action", flat=True)) == [
        "license.unassigned",
        "license.unassigned",
        "member.blocked",
        "member.leaver",
        "number.unassigned",
        "recharge.stopped",
    ]
    assert about.get(action="member.blocked").reason == "Retires"


def test_number_and_licenses_can_stay_with_the_account():
    who = equipped()

    leave(who, choices={"number": "keep", "license-phone-system": "keep", "license-calling-plan-domestic": "end"})

    assert NumberAssignment.objects.get(until=None).number == who.number
    assert has(who.member) == ["phone-system"]


def test_nobody_else_is_given_the_number_while_it_cools_off():
    who = equipped()
    next_one = MemberFactory(organization=who.organization)
    assigning("phone-system", next_one)
    again = [Pairing(next_one, who.number, who.site)]

    leave(who, choices={"cooling-days": "0"})
    given = assign_numbers(actor=SYSTEM, organization=who.organization, pairings=again, key=uuid4())
    assert given[0].member == next_one

    who.member = next_one
    leave(who, choices={"cooling-days": "365"})
    third = MemberFactory(organization=who.organization)
    assigning("phone-system", third)
    with pytest.raises(NumberCoolsOff):
        assign_numbers(
            actor=SYSTEM, organization=who.organization, pairings=[Pairing(third, who.number, who.site)], key=uuid4()
        )


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"cooling-days": "366"}, NotAChoice),
        ({"cooling-days": "-1"}, NotAChoice),
        ({"number": "sell"}, NotAChoice),
        ({"license-e5": "end"}, LeavingChanged),
        ({"license-calling-plan-domestic": "keep"}, KeptWithoutRequired),
    ],
)
def test_what_can_not_be_chosen_changes_nothing(choices, error):
    who = equipped()

    with pytest.raises(error):
        leave(who, choices=choices)

    assert nothing_changed(who)


def test_an_invited_person_goes_with_their_invitation():
    who = equipped(invited=True)
    invitation = InvitationFactory(member=who.member)

    leaving = leave(who)

    invitation.refresh_from_db()
    who.member.refresh_from_db()
    assert (invitation.state, who.member.state) == ("canceled", "left")
    assert has(who.member) == []
    assert not NumberAssignment.objects.filter(until=None).exists()
    assert outcomes(leaving)["sign-in"] == "ended"
    assert broken() == []


def test_an_account_that_ends_keeps_neither_number_nor_license():
    who = equipped(invited=True)
    InvitationFactory(member=who.member)

    for kept in ("number", "license-phone-system"):
        with pytest.raises(NotAChoice):
            leave(who, choices={kept: "keep"})

    who.member.refresh_from_db()
    assert who.member.state == "invited"


def test_an_account_that_was_handed_over_stays_when_nobody_joins():
    who = equipped()
    hand_over(
        actor=SYSTEM,
        organization=who.organization,
        member=who.member,
        email="bert@people.example",
        first_name="Bert",
        last_name="Lind",
        key=uuid4(),
    )

    leave(who, choices={"number": "keep", "license-phone-system": "keep"})

    who.member.refresh_from_db()
    assert who.member.state == "blocked"
    assert NumberAssignment.objects.filter(member=who.member, until=None).exists()
    assert Invitation.objects.get().state == "canceled"


@pytest.mark.parametrize(
    ("choice", "state", "outcome"), [("keep", "pending", "kept"), ("cancel", "canceled", "canceled")]
)
def test_invitations_that_they_sent_stay_unless_they_are_taken_back(choice, state, outcome):
    who = equipped()
    sent = InvitationFactory(member=MemberFactory(organization=who.organization, invited=True), invited_by=who.member)
    other = InvitationFactory(member=MemberFactory(organization=who.organization, invited=True), invited_by=who.boss)

    leaving = leave(who, choices={"invitations": choice})

    sent.refresh_from_db()
    other.refresh_from_db()
    assert (sent.state, other.state) == (state, "pending")
    assert outcomes(leaving)["invitations"] == outcome


def test_what_a_role_can_not_do_stays_and_is_told():
    who = equipped()
    manager = MemberFactory(organization=who.organization, role="members_manager")

    leaving = leave(who, actor=Actor.of_member(manager))

    assert outcomes(leaving) == {
        "sign-in": "blocked",
        "credit": "stays",
        "auto-recharge": "not_allowed",
        "number": "not_allowed",
        "license-phone-system": "not_allowed",
        "license-calling-plan-domestic": "not_allowed",
    }
    assert RechargePlan.objects.get(member=who.member).active
    assert NumberAssignment.objects.filter(until=None).exists()
    rest = leave(who, actor=Actor.of_member(who.boss))
    assert outcomes(rest)["sign-in"] == "stays_blocked"
    assert (outcomes(rest)["number"], has(who.member)) == ("freed", [])


def test_a_role_that_can_not_take_back_everything_ends_no_account():
    who = equipped(invited=True)
    InvitationFactory(member=who.member)
    manager = MemberFactory(organization=who.organization, role="members_manager")

    with pytest.raises(AdministratorNeeded):
        leave(who, actor=Actor.of_member(manager))

    assert Invitation.objects.get().state == "pending"


def test_who_can_not_leave_like_this():
    who = equipped()
    other = equipped()
    manager = MemberFactory(organization=who.organization, role="members_manager")
    personal = MemberFactory(organization=who.organization, personal=True)
    gone = MemberFactory(organization=who.organization, state="left")

    def refused(member, error, actor=SYSTEM, organization=None):
        who.member = member
        with pytest.raises(error):
            leave(who, actor=actor)
        assert not Leaving.objects.exists()

    refused(personal, PersonalAccountLeaves)
    refused(gone, StateForbids)
    refused(who.boss, LastAdministrator)
    refused(who.boss, OwnLeaving, Actor.of_member(who.boss))
    refused(who.boss, PermissionDenied, Actor.of_member(manager))
    refused(other.member, PermissionDenied)
    assert Member.objects.get(pk=who.boss.pk).state == "active"


def test_the_same_key_is_one_leaving():
    who = equipped()
    key = uuid4()

    first = leave(who, key=key)

    assert leave(who, key=key) == first
    assert AuditEntry.objects.filter(action="number.unassigned").count() == 1
    with pytest.raises(KeyReused):
        leave(who, key=key, reason="Another")


def test_what_changed_since_it_was_shown_is_looked_at_again():
    who = equipped()
    seen = seal_of(list_left(SYSTEM, Member.objects.select_related("user", "organization").get(pk=who.member.pk)))
    NumberAssignment.objects.filter(until=None).update(until=database_now())

    with pytest.raises(LeavingChanged):
        leave(who, seen=seen)

    assert Member.objects.get(pk=who.member.pk).state == "active"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["leaver.after_part", "leaver.before_commit"])
def test_whoever_is_killed_on_the_way_has_done_nothing(apart, moment):
    who = equipped()

    assert apart("-c", LEAVE, die_at=moment).returncode == -signal.SIGKILL
    assert nothing_changed(who)
    assert apart("-c", LEAVE).returncode == 0

    who.member.refresh_from_db()
    assert (who.member.state, has(who.member), Leaving.objects.count()) == ("blocked", [], 1)


def test_the_page_shows_everything_with_its_value_and_does_it():
    who = equipped()
    client = Client()
    sign_in(client, who.boss.user)

    page = client.get(path(who))
    for text in ("€20.00", "Phone System", "Siège"):
        assert text in page.text
    answer = client.post(path(who), as_shown(page))

    leaving = Leaving.objects.get()
    assert answer.headers["Location"] == path(who, "leaving_detail", leaving.pk)
    result = client.get(answer.headers["Location"])
    assert "€20.00 stayed with the account." in result.text
    assert "nobody else gets it for 30 days" in result.text
    for name in ("member_profile", "member_history"):
        assert path(who, "leaving_detail", leaving.pk) in client.get(path(who, name)).text


def test_a_form_that_arrives_twice_is_one_leaving():
    who = equipped()
    client = Client()
    sign_in(client, who.boss.user)
    sent = as_shown(client.get(path(who)))

    first, again = client.post(path(who), sent), client.post(path(who), sent)

    assert first.headers["Location"] == again.headers["Location"]
    assert Leaving.objects.count() == 1


def test_a_page_that_is_out_of_date_is_shown_again_and_then_taken():
    who = equipped()
    client = Client()
    sign_in(client, who.boss.user)
    sent = as_shown(client.get(path(who)))
    NumberAssignment.objects.filter(until=None).update(until=database_now())

    refused = client.post(path(who), sent)

    assert refused.status_code == 422
    assert "has changed since the page was shown" in refused.text
    assert Member.objects.get(pk=who.member.pk).state == "active"
    assert client.post(path(who), as_shown(refused)).status_code == 302


def test_a_kept_license_without_what_it_needs_is_told_at_its_field():
    who = equipped()
    client = Client()
    sign_in(client, who.boss.user)
    sent = as_shown(client.get(path(who))) | {"license-calling-plan-domestic": "keep"}

    refused = client.post(path(who), sent)

    assert refused.status_code == 422
    assert "license-calling-plan-domestic" in refused.context["form"].errors
    assert nothing_changed(who)


def test_nobody_reads_the_leavings_of_another_company():
    who, other = equipped(), equipped()
    leaving = leave(other)
    client = Client()
    sign_in(client, who.boss.user)

    assert client.get(path(who, "leaving_detail", leaving.pk)).status_code == 404


def test_lines_can_be_told_without_the_facts_of_those_who_could_not():
    who = equipped()
    manager = MemberFactory(organization=who.organization, role="members_manager")
    leaving = leave(who, actor=Actor.of_member(manager))

    told = dict(tell_leaving(who.organization, leaving))

    assert told["Phone number"].startswith("Not changed")


def command(*words, **options):
    out = io.StringIO()
    call_command("process_leaver", *words, "--json", stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_command_says_first_and_does_then():
    who = equipped()
    words = ["--organization", who.organization.slug, "--member", who.member.user.skype_name]

    foreseen = command(*words, "--choose", "cooling-days=90", "--dry-run")
    assert nothing_changed(who)
    done = command(*words, "--choose", "cooling-days=90", "--key", "one")
    again = command(*words, "--choose", "cooling-days=90", "--key", "one")

    assert foreseen["processed"] is False
    assert {line["key"]: line["choice"] for line in foreseen["lines"]}["number"] == "free"
    assert done == again
    [number] = [line for line in done["lines"] if line["key"] == "number"]
    assert (number["number"], number["cooling_days"]) == (who.number.number, 90)


def test_the_command_refuses_and_changes_nothing():
    who = equipped()
    words = ["--organization", who.organization.slug, "--member", who.member.user.skype_name]

    for more in (["--choose", "number"], ["--choose", "number=sell"], ["--choose", "number=sell", "--dry-run"]):
        with pytest.raises(CommandError):
            call_command("process_leaver", *words, *more)
    assert nothing_changed(who)


def invited_with_everything():
    """Somebody with all that, who has not joined yet."""
    who = equipped()
    Member.objects.filter(pk=who.member.pk).update(state=Member.State.INVITED)
    invitation = InvitationFactory(
        organization=who.organization, kind="business", member=who.member, email=who.member.email
    )
    return who, invitation


def test_a_canceled_invitation_holds_neither_number_nor_seat():
    who, invitation = invited_with_everything()

    cancel_invitations(actor=SYSTEM, organization=who.organization, invitations=[invitation.pk])

    who.member.refresh_from_db()
    assert who.member.state == Member.State.LEFT
    assert has(who.member) == []
    assert not NumberAssignment.objects.filter(until=None).exists()
    who.number.refresh_from_db()
    assert who.number.assignable_from > database_now() + timedelta(days=29)
    assert {"number.unassigned", "license.unassigned"} <= set(AuditEntry.objects.values_list("action", flat=True))
    assert broken() == []


def test_an_account_that_was_handed_over_keeps_what_it_has_when_its_invitation_is_canceled():
    who, invitation = invited_with_everything()
    type(who.member.user).objects.update(handed_over_at=database_now())

    cancel_invitations(actor=SYSTEM, organization=who.organization, invitations=[invitation.pk])

    who.member.refresh_from_db()
    assert who.member.state == Member.State.BLOCKED
    assert has(who.member) == ["calling-plan-domestic", "phone-system"]
    assert NumberAssignment.objects.filter(member=who.member, until=None).exists()


def test_who_is_invited_and_leaves_waits_with_their_number_as_long_as_was_chosen():
    who, _invitation = invited_with_everything()

    leaving = leave(who, choices={"number": "free", "cooling-days": "3"})

    assert outcomes(leaving)["number"] == "freed"
    who.number.refresh_from_db()
    assert who.number.assignable_from < database_now() + timedelta(days=4)
    assert has(who.member) == []
