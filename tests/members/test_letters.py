import json
import re
import threading
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from members.delivery import SENDER_DIED, describe_delivery
from members.gateways import mail as gateway
from members.mail import invitation_letter, personal_letter, stop_letters
from members.models import Letter
from members.services import letters as relay
from members.services.letters import begin_letter, claim_letters, send_letters
from members.tokens import read_invitation_token
from tests.factories import (
    DepartmentFactory,
    InvitationFactory,
    MemberFactory,
    OrganizationFactory,
    UserFactory,
)
from tests.members.post_office import body

pytestmark = pytest.mark.django_db


def write(letter: Letter) -> Letter:
    letter.save()
    return letter


def invite(**facts) -> Letter:
    return write(invitation_letter(InvitationFactory(**facts)))


def make_due(letter: Letter) -> None:
    Letter.objects.filter(pk=letter.pk).update(due_at=timezone.now(), leased_until=None)


def link_in(text: str) -> str:
    [link] = re.findall(r"^http://127\.0\.0\.1:8000(/\S+)$", text, re.MULTILINE)
    return link


def test_an_invitation_arrives_as_text_and_html_with_a_link_that_opens_it(post_office, client):
    organization = OrganizationFactory(name="Architectes", language="en")
    department = DepartmentFactory(organization=organization, name="Studio Paris")
    inviter = MemberFactory(organization=organization, user__first_name="Hélène", user__last_name="Marchand")
    member = MemberFactory(
        organization=organization, department=department, invited=True, user__first_name="Théo", email="theo@a.example"
    )
    letter = invite(member=member, invited_by=inviter)

    assert send_letters() == 1

    [(address, content)] = post_office.delivered
    assert address == "theo@a.example"
    assert content["Subject"] == "Your account at Architectes"
    text, html = body(content, "plain"), body(content, "html")
    for part in (text, html):
        assert "Welcome, Théo" in part
        assert "Hélène Marchand made you an account at Architectes." in part
        assert member.user.skype_name in part
        assert "Studio Paris" in part
        assert link_in(text) in part
    assert client.get(link_in(text)).status_code == 200
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.closed_at is not None) == (Letter.State.SENT, 1, True)


@pytest.mark.parametrize("language", ["fr", "sv"])
def test_a_letter_is_written_in_the_language_of_the_member_then_of_the_organization(post_office, language):
    invite(member=MemberFactory(invited=True, organization__language=language))
    invite(member=MemberFactory(invited=True, organization__language="en", user__language=language))

    send_letters()

    for _address, content in post_office.delivered:
        assert f'<html lang="{language}">' in body(content, "html")


def test_names_are_escaped_in_html_and_no_part_of_a_letter_turns_them_into_links(post_office):
    organization = OrganizationFactory(name="<b>evil.example</b>")
    invite(member=MemberFactory(organization=organization, invited=True, user__first_name="http://x.example/a"))

    send_letters()

    [(_address, content)] = post_office.delivered
    html = body(content, "html")
    assert "&lt;b&gt;evil.\u2060example" in html
    assert "<b>evil" not in html
    for part in (html, body(content, "plain")):
        assert "evil.example" not in part
        assert "x.example" not in part


def test_a_name_written_from_right_to_left_turns_nothing_else_around(post_office):
    invite(member=MemberFactory(organization__name="אדריכלים", invited=True))

    send_letters()

    [text] = post_office.texts()
    assert "\u2068אדריכלים\u2069" in text


def test_the_message_id_stays_the_same_when_a_letter_is_sent_again(post_office):
    letter = invite()
    send_letters()
    Letter.objects.filter(pk=letter.pk).update(state=Letter.State.WAITING)

    send_letters()

    first, second = [content["Message-ID"] for _address, content in post_office.delivered]
    assert first == second
    assert str(letter.message_id) in first


def test_an_address_that_is_refused_fails_visibly_and_holds_up_nobody(post_office):
    refused = invite(member=MemberFactory(invited=True, email="gone@a.example"))
    taken = invite()
    post_office.answers["gone@a.example"] = ["550 no such mailbox"]

    assert send_letters() == 1

    refused.refresh_from_db()
    taken.refresh_from_db()
    assert (refused.state, refused.last_error) == (Letter.State.FAILED, "550")
    assert taken.state == Letter.State.SENT


def test_a_letter_the_server_postpones_is_delivered_later_and_once(post_office):
    letter = invite(member=MemberFactory(invited=True, email="busy@a.example"))
    post_office.answers["busy@a.example"] = ["451 try again later"]

    assert send_letters() == 0
    letter.refresh_from_db()
    assert (letter.state, letter.last_error) == (Letter.State.WAITING, "451")
    assert timedelta(seconds=5) < letter.due_at - timezone.now() <= timedelta(seconds=15)
    assert send_letters() == 0

    make_due(letter)
    assert send_letters() == 1
    assert send_letters() == 0
    assert len(post_office.delivered) == 1


def test_letters_wait_for_a_mail_server_that_is_away_and_none_is_to_blame(post_office, settings):
    there = settings.MAILERS
    settings.MAILERS = {"default": {**there["default"], "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1}}}
    first, second = invite(), invite()

    assert send_letters() == 0

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.attempts, second.attempts) == (0, 0)
    assert first.last_error == "ConnectionRefusedError"
    assert second.leased_until is None
    settings.MAILERS = there
    make_due(first)
    assert send_letters() == 2


def test_a_server_that_hangs_up_leaves_the_rest_for_the_next_run(post_office):
    first = invite(member=MemberFactory(invited=True, email="first@a.example"))
    second = invite()
    post_office.answers["first@a.example"] = ["421 closing"]

    assert send_letters() == 0

    second.refresh_from_db()
    assert (second.attempts, second.leased_until) == (0, None)
    make_due(first)
    assert send_letters() == 2


def test_a_sender_killed_between_delivery_and_settling_sends_again_with_the_same_message_id(post_office):
    letter = invite()
    [claimed] = claim_letters(limit=1)
    begin_letter(claimed)
    # The server has it; the sender dies before it can say so.
    with gateway.mail_server() as server:
        composed = relay.compose(claimed)
        message = gateway.render_letter(
            template=claimed.kind, context=composed.context, address=claimed.email, message_id=claimed.message_id
        )
        gateway.deliver(server, message)

    assert send_letters() == 0, "it is still leased"
    Letter.objects.filter(pk=letter.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert send_letters() == 1

    first, second = [content["Message-ID"] for _address, content in post_office.delivered]
    assert first == second
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == (Letter.State.SENT, 2)


@pytest.mark.django_db(transaction=True)
def test_a_letter_that_has_left_is_noted_once_the_database_is_back_and_not_sent_again(post_office):
    letter = invite()
    sender = connection.connection.info.backend_pid

    def cut_off():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [sender])
        connection.close()

    post_office.on_arrival = cut_off

    assert send_letters() == 1

    letter.refresh_from_db()
    assert (letter.state, letter.interrupted) == (Letter.State.SENT, 0)
    assert connection.connection.info.backend_pid != sender


def test_no_invitation_leaves_before_the_address_of_a_founder_is_confirmed(post_office):
    organization = OrganizationFactory(letters_released_at=None)
    founder = MemberFactory(organization=organization, admin=True, user__email_verified_at=None)
    invite(member=MemberFactory(organization=organization, invited=True))
    write(personal_letter(Letter.Kind.ADDRESS_VERIFICATION, founder.user, organization=organization, member=founder))

    assert send_letters() == 1

    [(address, _content)] = post_office.delivered
    assert address == founder.user.email
    organization.letters_released_at = timezone.now()
    organization.save()
    assert send_letters() == 1


def test_an_organization_sends_so_many_invitations_a_day_and_others_are_not_held_up(post_office, settings):
    settings.LETTERS_PER_DAY = 2
    busy = OrganizationFactory()
    letters = [invite(member=MemberFactory(organization=busy, invited=True)) for _number in range(5)]
    other = invite()
    own = write(personal_letter(Letter.Kind.PASSWORD_CHANGED, UserFactory(business_of=busy)))

    assert send_letters() == 4

    states = [Letter.objects.get(pk=letter.pk).state for letter in [*letters, other, own]]
    assert states == ["sent", "sent", "waiting", "waiting", "waiting", "sent", "sent"]
    Letter.objects.filter(state=Letter.State.SENT).update(closed_at=timezone.now() - timedelta(hours=25))
    assert send_letters() == 2


def test_a_letter_that_breaks_its_sender_does_not_hold_up_the_others(post_office, monkeypatch):
    poison, other = invite(), invite()
    compose = relay.compose

    def explode(letter):
        if letter.pk == poison.pk:
            raise ZeroDivisionError
        return compose(letter)

    # Stands for a mistake of ours that no test has found.
    monkeypatch.setattr(relay, "compose", explode)
    with pytest.raises(ZeroDivisionError):
        send_letters()

    assert send_letters() == 1
    poison.refresh_from_db()
    other.refresh_from_db()
    assert (poison.state, poison.attempts, poison.last_error) == (Letter.State.WAITING, 1, "ZeroDivisionError")
    assert (other.state, other.attempts) == (Letter.State.SENT, 1)


def test_a_letter_is_given_up_after_twenty_attempts_in_more_than_two_days(post_office):
    young, old = invite(), invite()
    Letter.objects.update(attempts=20, last_error="451")
    Letter.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2, minutes=1))

    assert send_letters() == 1

    young.refresh_from_db()
    old.refresh_from_db()
    assert (young.state, young.attempts) == (Letter.State.SENT, 21)
    assert (old.state, old.last_error) == (Letter.State.FAILED, "451")


def test_a_letter_that_kills_its_sender_five_times_is_given_up_and_shown(post_office):
    letter = invite()
    for _death in range(5):
        [claimed] = claim_letters(limit=1, suspects=_death > 0)
        assert begin_letter(claimed)
        make_due(letter)

    assert send_letters() == 0

    letter.refresh_from_db()
    assert (letter.state, letter.last_error) == (Letter.State.FAILED, SENDER_DIED)
    delivery = describe_delivery(letter.organization, letter)
    assert (delivery.kind, str(delivery.note)) == ("danger", "It was given up after five tries that broke off.")
    assert post_office.delivered == []


def test_a_letter_that_was_given_up_so_is_tried_again_by_a_command(post_office, capsys):
    letter, refused = invite(), invite()
    Letter.objects.update(state="failed", closed_at=timezone.now(), attempts=5, interrupted=0, last_error=SENDER_DIED)
    Letter.objects.filter(pk=refused.pk).update(last_error="550")

    call_command("retry_letters", "--json")

    assert json.loads(capsys.readouterr().out) == {"letters": 1}
    assert send_letters() == 1
    assert post_office.delivered[0][0] == letter.email


def test_a_letter_whose_sender_died_is_claimed_alone_and_after_the_others(post_office):
    suspect, *others = [invite() for _number in range(4)]
    Letter.objects.filter(pk=suspect.pk).update(interrupted=1, due_at=timezone.now() - timedelta(hours=1))

    assert suspect not in claim_letters(limit=50)
    assert claim_letters(limit=50, suspects=True) == [suspect]
    Letter.objects.update(leased_until=None)

    assert send_letters() == 4
    assert post_office.delivered[-1][0] == suspect.email
    assert {letter.email for letter in others} == {address for address, _content in post_office.delivered[:3]}
    suspect.refresh_from_db()
    assert suspect.interrupted == 0


def test_three_thousand_letters_do_not_wait_for_one_that_kills_its_sender(post_office):
    poison = invite()
    Letter.objects.filter(pk=poison.pk).update(interrupted=1)
    user = UserFactory()
    Letter.objects.bulk_create(personal_letter(Letter.Kind.PASSWORD_CHANGED, user) for _number in range(3_000))

    claimed = [letter.pk for _run in range(60) for letter in claim_letters(limit=50)]

    assert len(set(claimed)) == 3_000
    assert poison.pk not in claimed


def test_an_outage_of_an_hour_puts_no_letter_off_for_more_than_two_minutes(post_office):
    letter = invite(member=MemberFactory(invited=True, email="first@a.example"))
    post_office.answers["first@a.example"] = ["421 closing"] * 30

    for _try in range(30):
        make_due(letter)
        send_letters()

    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == (Letter.State.WAITING, 30)
    assert letter.due_at - timezone.now() <= timedelta(minutes=2)
    make_due(letter)
    assert send_letters() == 1


@pytest.mark.django_db(transaction=True)
def test_a_letter_stays_ours_while_the_mail_server_takes_its_time(post_office, monkeypatch):
    letter = invite()
    monkeypatch.setattr(relay, "RENEWAL", 0.1)
    monkeypatch.setattr(relay, "LEASE", timedelta(seconds=0.5))
    post_office.pause = 1.5
    others = []

    def look():
        time.sleep(0.9)
        others.append(claim_letters(limit=1) + claim_letters(limit=1, suspects=True))
        connection.close()

    looking = threading.Thread(target=look)
    looking.start()
    assert send_letters() == 1
    looking.join()

    assert others == [[]]
    assert len(post_office.delivered) == 1
    letter.refresh_from_db()
    assert letter.state == Letter.State.SENT


def test_no_letter_leaves_in_the_clear_where_encryption_was_asked_for(post_office, settings):
    settings.MAILERS["default"]["OPTIONS"]["use_tls"] = True
    letter = invite()

    assert send_letters() == 0

    letter.refresh_from_db()
    assert (letter.state, letter.last_error) == (Letter.State.WAITING, "SMTPNotSupportedError")
    assert post_office.delivered == []


def test_a_server_that_is_slow_to_take_a_letter_gets_it_once(post_office, settings):
    settings.MAILERS["default"]["OPTIONS"]["timeout"] = 1
    invite()
    post_office.pause = 2

    assert send_letters() == 1
    assert len(post_office.delivered) == 1


def test_a_letter_that_became_pointless_is_not_sent(post_office):
    accepted = InvitationFactory(state="accepted")
    expired = InvitationFactory(expires_at=timezone.now() - timedelta(minutes=1))
    moved = UserFactory(email_verified_at=None)
    letters = [
        write(invitation_letter(accepted)),
        write(invitation_letter(expired)),
        write(personal_letter(Letter.Kind.ADDRESS_VERIFICATION, moved)),
    ]
    moved.email = "elsewhere@a.example"
    moved.save()

    assert send_letters() == 0

    assert {Letter.objects.get(pk=letter.pk).state for letter in letters} == {Letter.State.CANCELED}
    assert post_office.delivered == []


def test_a_letter_taken_back_while_it_is_claimed_is_not_sent(post_office):
    letter = invite()
    [claimed] = claim_letters(limit=1)
    stop_letters([letter.invitation])

    assert begin_letter(claimed) is False
    letter.refresh_from_db()
    assert (letter.state, letter.leased_until) == (Letter.State.CANCELED, None)
    assert letter.closed_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_senders_take_different_letters(post_office, race):
    for _number in range(20):
        write(personal_letter(Letter.Kind.PASSWORD_CHANGED, UserFactory()))

    first, second = race(*[lambda: {letter.pk for letter in claim_letters(limit=20)}] * 2)

    assert not first & second


@pytest.mark.django_db(transaction=True)
def test_senders_side_by_side_keep_to_the_letters_of_a_day(post_office, race, settings):
    settings.LETTERS_PER_DAY = 5
    organization = OrganizationFactory()
    for _number in range(12):
        invite(member=MemberFactory(organization=organization, invited=True))

    claimed = race(*[lambda: len(claim_letters(limit=4))] * 4)

    assert sum(claimed) == 5


def test_a_personal_invitation_says_that_the_account_stays_ones_own(post_office):
    organization = OrganizationFactory(name="Architectes")
    invitation = InvitationFactory(
        member=None, organization=organization, user=None, kind="personal", email="ines@home.example"
    )
    write(invitation_letter(invitation))

    send_letters()

    [(_address, content)] = post_office.delivered
    assert content["Subject"] == "Architectes invites you"
    text = body(content, "plain")
    assert "Your account stays yours" in text
    token = link_in(text).split("/")[2]
    assert read_invitation_token(token) == (invitation, True)


def test_the_link_of_a_letter_comes_from_the_settings_whatever_a_request_claims(post_office, settings, client):
    settings.BASE_URL = "https://skype.architectes.example"
    invite()

    send_letters()

    [text] = post_office.texts()
    assert "https://skype.architectes.example/join/" in text
    [(_address, content)] = post_office.delivered
    assert content["Message-ID"].endswith("@skype.architectes.example>")


def test_letters_stay_on_a_machine_without_a_mail_server(settings, tmp_path):
    settings.MAILERS = {
        "default": {"BACKEND": "members.gateways.mail.LocalMailbox", "OPTIONS": {"folder": tmp_path / "letters"}}
    }
    letter = invite()

    assert send_letters() == 1
    Letter.objects.filter(pk=letter.pk).update(state=Letter.State.WAITING)
    assert send_letters() == 1

    [kept] = list((tmp_path / "letters").glob("*.eml"))
    assert letter.email in kept.read_text()


def test_sending_asks_the_database_little_for_each_letter(post_office, django_assert_max_num_queries):
    for _number in range(10):
        invite()

    with django_assert_max_num_queries(10 * 7 + 12):
        assert send_letters() == 10
