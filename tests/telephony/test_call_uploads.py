"""Files of calls that workers carry out: tried, imported, stopped, and gone on with after any death."""

import signal
from datetime import timedelta
from decimal import Decimal
from functools import partial
from io import BytesIO
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import translation

from members.access import Actor
from skypemgr.csv_files import UnreadableFile
from telephony.call_errors import UploadNotOpen
from telephony.models import Call, CallImport, CallUpload
from telephony.models.calls import MOST_ATTEMPTS
from telephony.services import call_upload_work
from telephony.services.call_upload_work import advance_upload, advance_uploads, forget_tried
from telephony.services.call_uploads import continue_upload, import_upload, stop_upload, upload_calls
from telephony.services.usage import rebuild_usage
from telephony.views.call_imports import ImportView
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.calls import SYSTEM, a_call, feed, with_rates

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss():
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris", language="en")
    MemberFactory(organization=organization, user__skype_name="marie.curie")
    return MemberFactory(organization=organization, role="voice_manager")


@pytest.fixture
def company(boss):
    return boss.organization


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(call_upload_work, "CHUNK", 3)


def by_marie(*numbers):
    return [a_call(number, account="marie.curie") for number in numbers]


def upload(boss, some, *, key=None, trial=False, **facts):
    return upload_calls(
        actor=Actor.of_member(boss),
        organization=boss.organization,
        file=BytesIO(feed(some)),
        file_name="calls.csv",
        trial=trial,
        key=key or uuid4(),
        **{"format": "skypemgr", "source": "pbx", "time_zone": "UTC", **facts},
    )


def told(imported):
    imported.refresh_from_db()
    return imported.rows, imported.added, imported.duplicates, imported.wrong, imported.charged


def test_a_file_is_imported_by_workers_and_counted(boss, company):
    imported = upload(boss, [*by_marie(1, 2, 3, 4), {**a_call(5), "started_at": "yesterday"}, *by_marie(6, 1)])
    assert not Call.objects.exists()

    advance_uploads()

    assert told(imported) == (7, 5, 1, 1, Decimal("0.2500"))
    assert imported.finished_at is not None
    assert not CallUpload.objects.exists()
    assert Call.objects.filter(imported=imported).count() == 5
    assert rebuild_usage(actor=SYSTEM, organization=company, check=True).differences == []


def test_what_is_wrong_is_told_in_the_language_of_its_reader(boss):
    imported = upload(boss, [{**a_call(5), "started_at": "yesterday"}])
    advance_uploads()
    imported.refresh_from_db()

    said = {}
    for language in ("en", "fr", "sv"):
        with translation.override(language):
            [(row, said[language])] = ImportView(imported).wrong_rows

    assert row == 1
    assert len(set(said.values())) == 3
    assert all("yesterday" in text for text in said.values())


def test_what_is_only_tried_is_not_kept_until_it_is_imported(boss, company):
    imported = upload(boss, by_marie(1, 2, 3, 4), trial=True)
    advance_uploads()
    assert told(imported)[:2] == (4, 4)
    assert not Call.objects.exists()

    import_upload(actor=Actor.of_member(boss), organization=company, imported=imported)
    assert told(imported)[:2] == (0, 0)
    advance_uploads()

    assert told(imported)[:2] == (4, 4)
    assert Call.objects.count() == 4
    with pytest.raises(UploadNotOpen):
        import_upload(actor=Actor.of_member(boss), organization=company, imported=imported)


def test_the_same_form_sent_twice_is_one_import(boss):
    key = uuid4()
    first, second = (upload(boss, by_marie(1), key=key) for _time in range(2))
    assert first.pk == second.pk
    assert CallImport.objects.count() == 1


def test_what_is_not_of_its_format_is_refused_at_once(boss):
    with pytest.raises(UnreadableFile):
        upload(boss, by_marie(1), format="twilio")
    assert not CallImport.objects.exists()


def test_who_may_not_import_any_more_imports_no_more(boss):
    imported = upload(boss, by_marie(*range(6)))
    half = CallUpload.objects.select_related("imported__organization", "imported__imported_by__user").get()
    advance_upload(half, seconds=0)
    assert told(imported)[:2] == (3, 3)
    boss.role = "member"
    boss.save()

    advance_uploads()

    assert told(imported)[:2] == (3, 3)
    assert ImportView(imported).broke_off
    with pytest.raises(PermissionDenied):
        upload(boss, by_marie(1))


def test_stopping_leaves_what_was_imported_and_forgets_what_was_only_tried(boss, company):
    imported, tried = upload(boss, by_marie(*range(6))), upload(boss, by_marie(9), trial=True)
    first = CallUpload.objects.select_related("imported__organization", "imported__imported_by__user").get(
        imported=imported
    )
    advance_upload(first, seconds=0)
    for one in (imported, tried):
        stop_upload(actor=Actor.of_member(boss), organization=company, imported=one)

    # A worker that had it in hand takes back what it was about.
    advance_upload(first)
    advance_uploads()

    assert told(imported)[:2] == (3, 3)
    assert Call.objects.count() == 3
    assert imported.finished_at is not None
    assert not CallImport.objects.filter(pk=tried.pk).exists()
    with pytest.raises(UploadNotOpen):
        stop_upload(actor=Actor.of_member(boss), organization=company, imported=imported)


def test_what_was_only_tried_is_forgotten_after_a_day(boss):
    old, new = (upload(boss, by_marie(number), trial=True) for number in (1, 2))
    advance_uploads()
    CallUpload.objects.filter(imported=old).update(uploaded_at=old.started_at - timedelta(days=2))

    assert forget_tried() == 1

    assert list(CallImport.objects.all()) == [new]


def test_what_five_attempts_break_off_of_is_left_to_people_who_may_go_on(boss, company, monkeypatch):
    imported = upload(boss, by_marie(1, 2))

    def breaks(*args, **kwargs):
        raise RuntimeError("no")

    with monkeypatch.context() as broken:
        broken.setattr(call_upload_work, "feed", breaks)
        assert [advance_uploads() for _attempt in range(MOST_ATTEMPTS + 2)] == [1] * MOST_ATTEMPTS + [0, 0]
    assert CallUpload.objects.get().is_given_up

    continue_upload(actor=Actor.of_member(boss), organization=company, imported=imported)
    advance_uploads()

    assert told(imported)[:2] == (2, 2)


WORK = """
import django; django.setup()
from telephony.services import call_upload_work
call_upload_work.CHUNK = 3
call_upload_work.advance_uploads()
"""


def test_an_import_that_is_killed_again_and_again_counts_and_charges_each_call_once(boss, company, apart):
    imported = upload(boss, by_marie(*range(10)))
    work = partial(apart, "-c", WORK)

    assert work(die_at="calls.before_commit").returncode == -signal.SIGKILL
    assert told(imported)[:2] == (0, 0)
    assert work(die_at="calls.after_portion").returncode == -signal.SIGKILL
    assert told(imported)[:2] == (3, 3)
    assert work(die_at="calls.before_commit").returncode == -signal.SIGKILL
    assert told(imported)[:2] == (3, 3)
    assert work().returncode == 0

    assert told(imported) == (10, 10, 0, 0, Decimal("0.5000"))
    assert Call.objects.count() == 10
    assert rebuild_usage(actor=SYSTEM, organization=company, check=True).differences == []
