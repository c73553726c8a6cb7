from collections.abc import Sequence
from dataclasses import dataclass

from members.models import AuditSeal, Organization
from members.sealing import AUDIT_LOG, broken_seals

# So many entries are hashed while somebody waits for a page; verify_audit takes them all.
MOST_CHECKED = 200_000


@dataclass(frozen=True)
class Checked:
    """How many of the newest seals, with how many entries, were computed again, and the numbers of the broken ones."""

    seals: int
    rows: int
    broken: Sequence[int]


def latest_seal(organization: Organization) -> AuditSeal | None:
    """The newest seal of the audit log of an organization."""
    return AuditSeal.objects.filter(organization=organization).order_by("-number").first()


def check_newest(organization: Organization) -> Checked:
    """Compute the newest seals of an organization again, as many as a page has time for, and one at least."""
    seals = rows = since = 0
    newest = AuditSeal.objects.filter(organization=organization).order_by("-number")
    for number, under_it in newest.values_list("number", "rows").iterator(chunk_size=500):
        if seals and rows + under_it > MOST_CHECKED:
            break
        seals, rows, since = seals + 1, rows + under_it, number
    return Checked(seals, rows, [seal.number for seal in broken_seals(AUDIT_LOG, organization, since=since)])
