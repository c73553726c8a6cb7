"""Those who manage members are told of letters that could not be delivered: once, in one letter a day."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from members.access import Actor
from members.jobs import Run
from members.letter_texts import compose
from members.mail import invitation_letter, personal_letter
from members.models import Invitation, Letter, Member
from members.notices import notices_for, wanted_by
from members.periods import Every, period_at
from members.services.jobs import run_due_jobs
from members.services.letters import retry_letters, send_letters
from members.services.notices import choose_notices, set_notices_at_first
from members.services.undelivered import tell_of_failures
from members.undelivered import NAMED, NOTICE
from skypemgr.clock import database_now
from tests.factories import InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def admin(organization):
    return MemberFactory(organization=organization, admin=True, user__language="en")


@pytest.fixture
def manager(organization):
    return MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER, user__language="fr")


def fail(letter, error="550"):
    letter.state, letter.last_error, letter.closed_at = Letter.State.FAILED, error, timezone.now()
    letter.save()
    return letter


def bounce(organization, email="gone@a.example", **facts):
    """An invitation whose letter was refused."""
    member = MemberFactory(organization=organization, invited=True, email=email)
    return fail(invitation_letter(InvitationFactory(member=member, **facts)))


def tell(organization, days=0):
    period = period_at(database_now() + timedelta(days=days), Every.DAY, ZoneInfo(organization.time_zone))
    return tell_of_failures(Run(period, organization))


def a_day_passes():
    """What was written, is of the day before."""
    Letter.objects.filter(kind="letters_failed").update(created_at=timezone.now() - timedelta(days=2))


def digests():
    return Letter.objects.filter(kind="letters_failed").order_by("pk")


def told():
    return {letter.member for letter in digests()}


def said(letter):
    composed = compose(letter)
    return composed.context if composed else None


def test_a_refused_invitation_is_told_with_who_and_why_and_leads_to_manage_invites(organization, admin, post_office):
    member = MemberFactory(
        organization=organization, invited=True, email="gone@a.example", user__first_name="Anna", user__last_name="Berg"
    )
    invitation_letter(InvitationFactory(member=member)).save()
    post_office.answers["gone@a.example"] = ["550 no such mailbox"]
    send_letters()

    assert tell(organization) == 1
    digests().update(due_at=timezone.now())
    assert send_letters() == 1

    [(address, content)] = post_office.delivered
    assert (address, content["Subject"]) == (admin.user.email, "1 letter could not be delivered")
    [text] = post_office.texts()
    assert "Anna Berg, gone@a.example\nInvitation: The mail server refuses the address (550)." in text
    assert "/acme/members/invitations/?state=bounced\n" in text
    assert f"/acme/members/@{member.user.skype_name}/\n" in text
    assert "/acme/settings/notices/" in text
    html = content.get_body(("html",)).get_content()
    assert "gone@a.example" in html
    assert f"/acme/members/@{member.user.skype_name}/" in html


def test_letters_to_members_are_told_too_and_lead_to_the_member(organization, admin):
    member = MemberFactory(organization=organization)
    fail(personal_letter(Letter.Kind.PASSWORD_RESET, member.user, member=member), error="552")
    tell(organization)

    context = said(digests().get())
    [failure] = context["failures"]
    assert (failure.name, failure.address) == (member.user.display_name, member.user.email)
    assert failure.url.endswith(f"/acme/members/@{member.user.skype_name}/")
    assert failure.what == "New password"
    assert failure.why == "The mail server refuses the letter (552)."
    assert context["url"].endswith("/acme/members/")


def test_those_who_manage_members_are_told_each_in_their_language(organization, admin, manager):
    for role in ("credit_manager", "voice_manager", "reports_viewer", "member"):
        MemberFactory(organization=organization, role=role)
    MemberFactory(organization=organization, admin=True, user__email_verified_at=None)
    MemberFactory(organization=organization, admin=True, state=Member.State.BLOCKED)
    MemberFactory(admin=True)
    bounce(organization)

    assert tell(organization) == 2

    assert told() == {admin, manager}
    assert {compose(letter).language for letter in digests()} == {"en", "fr"}


def test_many_that_fail_are_one_letter_and_some_are_named(organization, admin):
    for number in range(NAMED + 3):
        bounce(organization, email=f"gone{number}@a.example")
    tell(organization)

    context = said(digests().get())
    assert (context["total"], len(context["failures"]), context["more"]) == (NAMED + 3, NAMED, 3)


def test_how_many_have_failed_does_not_change_how_much_is_asked(organization, admin, django_assert_max_num_queries):
    bounce(organization)
    with django_assert_max_num_queries(10):
        tell(organization)
    for number in range(12):
        bounce(organization, email=f"gone{number}@a.example")
    a_day_passes()
    with django_assert_max_num_queries(10):
        tell(organization)
    with django_assert_max_num_queries(8):
        said(digests().last())


def test_each_failure_is_told_once(organization, admin):
    bounce(organization)
    tell(organization)
    a_day_passes()

    assert tell(organization) == 0

    second = bounce(organization, email="other@a.example")
    assert tell(organization) == 1
    assert [failure.address for failure in said(digests().last())["failures"]] == [second.email]


def test_a_run_that_is_repeated_writes_no_second_letter_on_a_day(organization, admin):
    bounce(organization)
    tell(organization)
    bounce(organization, email="other@a.example")

    assert tell(organization) == 0
    assert digests().count() == 1

    a_day_passes()
    assert tell(organization) == 1


def test_a_letter_that_tells_of_failures_and_fails_is_told_to_nobody(organization, admin, post_office):
    bounce(organization)
    tell(organization)
    digests().update(due_at=timezone.now())
    post_office.answers[admin.user.email] = ["550 no such mailbox"]
    send_letters()
    assert digests().get().state == Letter.State.FAILED
    a_day_passes()

    assert tell(organization) == 0

    bounce(organization, email="other@a.example")
    tell(organization)
    assert [failure.address for failure in said(digests().last())["failures"]] == ["other@a.example"]


def test_letters_of_another_company_and_of_none_are_not_told(organization, admin):
    bounce(OrganizationFactory())
    fail(personal_letter(Letter.Kind.PASSWORD_RESET, UserFactory()))

    assert tell(organization) == 0
    assert Letter.objects.filter(told_at__isnull=False).count() == 0


def test_a_letter_that_waits_is_no_failure(organization, admin):
    member = MemberFactory(organization=organization, invited=True)
    letter = invitation_letter(InvitationFactory(member=member))
    letter.last_error = "451"
    letter.save()

    assert tell(organization) == 0


def test_who_does_not_want_it_gets_none(organization, admin, manager):
    choose_notices(actor=Actor.of_member(manager), organization=organization, wanted=[])
    bounce(organization)
    tell(organization)

    assert told() == {admin}


def test_a_company_turns_it_off_for_those_who_have_not_chosen(organization, admin, manager):
    set_notices_at_first(actor=Actor.of_member(admin), organization=organization, wanted=[])
    choose_notices(actor=Actor.of_member(manager), organization=organization, wanted=[NOTICE])
    bounce(organization)
    tell(organization)

    assert told() == {manager}
    assert NOTICE not in wanted_by(organization, [admin])[admin.pk]


def test_what_nobody_wanted_to_know_is_no_news_later(organization, admin):
    choose_notices(actor=Actor.of_member(admin), organization=organization, wanted=[])
    bounce(organization)
    tell(organization)
    choose_notices(actor=Actor.of_member(admin), organization=organization, wanted=[NOTICE])

    assert tell(organization) == 0


def test_it_is_offered_to_those_who_manage_members(client, organization, manager):
    assert NOTICE in {notice.key for notice in notices_for("members_manager")}
    assert NOTICE not in {notice.key for notice in notices_for("credit_manager")}
    client.force_login(manager.user)

    assert f'value="{NOTICE}" checked' in client.get("/acme/settings/notices/").text


@pytest.mark.parametrize("settled", ["again", "canceled", "forgotten", "retried", "handed over"])
def test_what_was_settled_before_the_letter_leaves_is_not_told(organization, admin, settled):
    letter = bounce(organization)
    tell(organization)
    match settled:
        case "again":
            invitation_letter(letter.invitation).save()
        case "canceled":
            Invitation.objects.update(state="canceled", closed_at=timezone.now())
        case "forgotten":
            Letter.objects.filter(pk=letter.pk).update(email="", last_error="")
        case "retried":
            Letter.objects.filter(pk=letter.pk).update(last_error="sender died")
            assert retry_letters() == 1
        case "handed over":
            letter.user.handed_over_at = timezone.now()
            letter.user.save()

    assert said(digests().get()) is None


def test_what_is_tried_again_and_fails_again_is_news(organization, admin):
    letter = bounce(organization)
    Letter.objects.update(last_error="sender died")
    tell(organization)
    retry_letters()
    a_day_passes()
    fail(Letter.objects.get(pk=letter.pk))

    assert tell(organization) == 1


def test_whoever_manages_members_no_longer_reads_nothing(organization, manager):
    bounce(organization)
    tell(organization)
    Member.objects.filter(pk=manager.pk).update(role=Member.Role.MEMBER)

    assert said(digests().get()) is None


def test_the_address_of_whoever_was_invited_by_name_stays_theirs(organization, admin):
    person = UserFactory(email="secret@home.example")
    invitation = InvitationFactory(
        member=None, organization=organization, user=person, kind="personal", email=person.email
    )
    fail(invitation_letter(invitation))
    guest = InvitationFactory(
        member=None, organization=organization, user=None, kind="personal", email="ines@home.example"
    )
    fail(invitation_letter(guest))
    tell(organization)

    first, second = said(digests().get())["failures"]
    assert (first.name, first.address, first.url) == (person.display_name, "", "")
    assert (second.name, second.address, second.url) == ("", "ines@home.example", "")


def test_it_leaves_in_the_morning_of_the_organization(organization, admin):
    bounce(organization)
    tell(organization, days=1)

    at = digests().get().due_at.astimezone(ZoneInfo(organization.time_zone))
    assert (at.hour, at.minute) == (7, 0)


def test_the_clock_does_it_once_a_day_for_every_company(organization, admin):
    bounce(organization)
    run_due_jobs()
    run_due_jobs()

    assert told() == {admin}


def test_only_of_letters_that_failed_the_database_notes_that_it_was_told(organization):
    letter = bounce(organization)
    letter.told_at = timezone.now()
    letter.save()

    letter.state = Letter.State.SENT
    with pytest.raises(IntegrityError, match="letter_told_when_failed"), transaction.atomic():
        letter.save()
