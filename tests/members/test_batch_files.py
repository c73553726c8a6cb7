import io
from uuid import uuid4

import pytest

from members import batch_files
from members.access import Actor
from members.batch_files import PIECE, PiecesGone, fingerprint_of, open_file, store_file
from members.models import Batch, BatchPiece
from members.services import import_work, imports
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    return Batch.objects.create(organization=OrganizationFactory(), kind="import_members", state="reading")


def test_a_file_comes_back_from_its_pieces_wherever_it_is_read(batch):
    content = bytes(range(256)) * (PIECE // 256 * 2 + 3)
    store_file(batch=batch, file=io.BytesIO(content))

    file = open_file(batch)

    assert batch.pieces.count() == 3
    assert file.read() == content
    file.seek(PIECE - 3)
    assert file.read(7) == content[PIECE - 3 : PIECE + 4]
    assert file.seek(0, io.SEEK_END) == len(content)
    assert file.read() == b""
    assert fingerprint_of(file) == fingerprint_of(io.BytesIO(content))


def test_a_batch_without_a_file_has_none(batch):
    assert open_file(batch) is None


def test_a_file_that_is_given_up_while_it_is_read_says_so(batch):
    store_file(batch=batch, file=io.BytesIO(b"x" * (PIECE + 1)))
    file = open_file(batch)
    BatchPiece.objects.all().delete()

    with pytest.raises(PiecesGone):
        file.read()


def test_a_reader_whose_file_is_given_up_leaves_the_batch_as_it_is(monkeypatch):
    monkeypatch.setattr(import_work, "READ_CHUNK", 10)
    monkeypatch.setattr(batch_files, "PIECE", 200)
    admin = MemberFactory(admin=True)
    batch = imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=("E-mail\n" + "".join(f"person{n}@people.example\n" for n in range(4_000))).encode(),
        file_name="x.csv",
        key=uuid4(),
    )

    def stop():
        if Batch.objects.get(pk=batch.pk).state == Batch.State.READING:
            imports.cancel_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)

    import_work.advance(batch, tell=stop)

    batch.refresh_from_db()
    assert (batch.state, batch.rows.count()) == (Batch.State.CANCELED, 10)
