from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from members.models import Batch, BatchPiece, BatchRow, HelpFeedback, Letter, Throttle
from members.services import purge
from members.services.purge import purge_personal_data
from members.throttle import SIGN_IN_PLACE, count_try
from tests.factories import HelpFeedbackFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.timedelta(days=90, minutes=1)
LATELY = timedelta(days=89)


def letter(age, **facts):
    user = UserFactory()
    return Letter.objects.create(
        kind="password_reset",
        user=user,
        email=user.email,
        facts={"users": [user.pk]},
        state="sent",
        closed_at=timezone.now() - age,
        **facts,
    )


def batch(age, **facts):
    made = Batch.objects.create(organization=OrganizationFactory(), kind="import_members", **facts)
    Batch.objects.filter(pk=made.pk).update(created_at=timezone.now() - age)
    row = BatchRow.objects.create(
        organization=made.organization,
        batch=made,
        number=1,
        outcome="done",
        data={"email": "anna@a.example"},
        notes=[{"code": "skype_name_ascii", "facts": {"given": "änna"}}],
        match_key="anna@a.example",
    )
    return made, row


def test_letters_forget_their_address_ninety_days_after_they_were_closed():
    old, young = letter(LONG_AGO), letter(LATELY)
    waiting = Letter.objects.create(kind="password_reset", user=UserFactory(), email="anna@a.example")

    assert purge_personal_data()["letters"] == 1

    old.refresh_from_db()
    assert (old.email, old.facts, old.state) == ("", {}, "sent")
    for other in (young, waiting):
        other.refresh_from_db()
        assert other.email
    assert purge_personal_data()["letters"] == 0


def test_letters_to_nobody_go_after_a_day():
    nobody = Letter.objects.create(
        kind="password_reset", state="canceled", closed_at=timezone.now() - timedelta(days=1, minutes=1)
    )
    Letter.objects.create(kind="password_reset", state="canceled", closed_at=timezone.now())

    assert purge_personal_data()["letters_to_nobody"] == 1

    assert not Letter.objects.filter(pk=nobody.pk).exists()
    assert Letter.objects.count() == 1


def test_rows_of_a_batch_forget_whom_they_were_about():
    now = timezone.now()
    _old, forgotten = batch(LONG_AGO, state="done", finished_at=now - LONG_AGO)
    _young, kept = batch(LONG_AGO, state="done", finished_at=now - LATELY)
    member = MemberFactory(organization=forgotten.organization)
    BatchRow.objects.filter(pk=forgotten.pk).update(member=member)

    assert purge_personal_data()["batch_rows"] == 1

    forgotten.refresh_from_db()
    kept.refresh_from_db()
    assert (forgotten.data, forgotten.notes, forgotten.match_key) == ({}, [], "")
    assert (forgotten.outcome, forgotten.member) == ("done", member)
    assert kept.data


def test_a_review_nobody_finished_is_canceled_and_forgotten():
    abandoned, row = batch(LONG_AGO, state="draft")
    BatchPiece.objects.create(batch=abandoned, number=0, content=b"anna@a.example")
    running, working = batch(LONG_AGO, state="running")

    counts = purge_personal_data()

    assert (counts["abandoned_batches"], counts["batch_rows"], counts["batch_files"]) == (1, 1, 1)
    abandoned.refresh_from_db()
    running.refresh_from_db()
    row.refresh_from_db()
    working.refresh_from_db()
    assert (abandoned.state, row.data, running.state) == ("canceled", {}, "running")
    assert working.data


def test_tries_and_sessions_that_are_over_go(client):
    count_try(SIGN_IN_PLACE, "hanna.berg")
    Throttle.objects.update(began_at=timezone.now() - timedelta(days=2))
    count_try(SIGN_IN_PLACE, "bo.lind")
    client.force_login(UserFactory())
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    counts = purge_personal_data()

    assert (counts["tries"], counts["sessions"]) == (1, 1)
    assert Throttle.objects.count() == 1


def test_what_was_said_of_the_help_goes_after_a_year():
    old, young = HelpFeedbackFactory(), HelpFeedbackFactory()
    now = timezone.now()
    HelpFeedback.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=365, minutes=1))
    HelpFeedback.objects.filter(pk=young.pk).update(created_at=now - timedelta(days=364, hours=23))

    assert purge_personal_data()["help_feedback"] == 1

    assert HelpFeedback.objects.get() == young


def test_it_goes_on_until_nothing_is_left(monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(purge, "AT_ONCE", 2)
    for _number in range(5):
        letter(LONG_AGO)

    assert purge_personal_data()["letters"] == 5
    assert not Letter.objects.exclude(email="").exists()
