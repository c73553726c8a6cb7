"""Each day in an organization: what is due is paid from the wallet, once; what can't be paid sleeps after three days.

Each step is a transaction that finds what is due itself, so any number of workers may be at it, and one that dies
leaves nothing half done.
"""

from django.db import transaction

from members.access import Actor
from members.acts import lock_members
from members.audit import Action, record
from members.jobs import Run
from members.locks import take_time
from members.models import Member, Organization, User
from skypemgr.clock import DatabaseClock, database_now
from skypemgr.kill_points import kill_point
from telephony.license_errors import WalletTooSmall
from telephony.licensing import GRACE, end_of_period, pay_period, renewal_price, today_of
from telephony.models import License, LicenseAssignment
from telephony.seating import end_all_seats, lock_all_licenses, vacate


def renew_licenses(run: Run) -> None:
    """Renew or end what is due in an organization, and free the seats of personal accounts that have left."""
    assert run.organization is not None
    free_seats_of_left(organization=run.organization)
    renew_due(run.organization)


def retry_licenses() -> None:
    """Try again to pay what could not be paid: in the hour in which the wallet is funded, seats wake."""
    unpaid = License.objects.owned().filter(grace_since__isnull=False, organization__closed_at=None)
    for organization in Organization.objects.filter(pk__in=unpaid.values("organization")).order_by("pk"):
        renew_due(organization)


def renew_due(organization: Organization) -> None:
    """Pay each period that has begun, of one license after the other in the order of products."""
    due = License.objects.owned().filter(organization=organization, renews_on__lte=today_of(organization))
    for key in due.order_by("product__order", "pk").values_list("pk", flat=True):
        try:
            while renew_one(organization=organization, key=key):
                pass
        except WalletTooSmall:
            note_unpaid(organization=organization, key=key)


@transaction.atomic(durable=True)
def renew_one(*, organization: Organization, key: int) -> bool:
    """Pay the next period of a license, or end it; False when nothing of it is due. Raises WalletTooSmall."""
    take_time()
    bought = _lock_with_people(organization, key)
    today = today_of(organization)
    if bought is None:
        # Ended, or somebody has got a seat meanwhile.
        return License.objects.filter(pk=key).owned().exists()
    if bought.renews_on > today:
        return False
    system = Actor.system()
    if bought.renewed_quantity < bought.assigned:
        vacate(organization, system, bought, keep=bought.renewed_quantity)
        bought.refresh_from_db()
    if bought.renewed_quantity == 0:
        License.objects.filter(pk=bought.pk).update(ended_at=DatabaseClock())
        _record(bought, Action.LICENSE_ENDED, quantity=bought.quantity)
        return False
    begins_on = bought.renews_on
    if bought.asleep_since is not None:
        # What it slept is not paid for.
        begins_on = bought.anchored_on = today
    bought.quantity = bought.renewed_quantity
    bought.monthly_price = renewal_price(bought)
    bought.began_on = begins_on
    bought.renews_on = end_of_period(bought.anchored_on, begins_on, bought.months)
    bought.grace_since = bought.asleep_since = None
    fields = ["quantity", "monthly_price", "anchored_on", "began_on", "renews_on", "grace_since", "asleep_since"]
    bought.save(update_fields=fields)
    _record(bought, Action.LICENSE_RENEWED, quantity=bought.quantity, renews_on=str(bought.renews_on))
    pay_period(
        bought=bought, organization=organization, actor=system, begins_on=begins_on, ends_before=bought.renews_on
    )
    kill_point("licenses.renewed")
    return True


@transaction.atomic(durable=True)
def note_unpaid(*, organization: Organization, key: int) -> None:
    """Note that a license could not be paid: it has three days from then, and sleeps after them.

    Its people go on with free seats of the same product, as far as there are any, and else sleep with it.
    """
    take_time()
    bought = _lock_with_people(organization, key)
    if bought is None or bought.renews_on > today_of(organization):
        return
    if bought.grace_since is None:
        License.objects.filter(pk=bought.pk).update(grace_since=DatabaseClock())
        _record(bought, Action.LICENSE_UNPAID, quantity=bought.renewed_quantity)
    elif bought.asleep_since is None and database_now() >= bought.grace_since + GRACE:
        vacate(organization, Actor.system(), bought, keep=0, ends=False)
        License.objects.filter(pk=bought.pk).update(asleep_since=DatabaseClock())
        _record(bought, Action.LICENSE_ASLEEP, quantity=bought.quantity)


@transaction.atomic(durable=True)
def free_seats_of_left(*, organization: Organization) -> None:
    """End the seats of personal accounts that have left; those of business accounts are kept for who comes next."""
    take_time()
    open_seats = LicenseAssignment.objects.filter(organization=organization).open()
    left = Member.objects.of(organization).filter(
        state=Member.State.LEFT, account_kind=User.Kind.PERSONAL, pk__in=open_seats.values("member")
    )
    keys = lock_members(left)
    end_all_seats(organization, Actor.system(), keys)


def _lock_with_people(organization: Organization, key: int) -> License | None:
    """A license with everybody who has a seat of it, locked before all licenses, as whoever changes seats locks them.

    None when it has ended, or when somebody has got a seat before the license was locked.
    """
    seats = LicenseAssignment.objects.filter(organization=organization, license=key).open()
    people = set(lock_members(Member.objects.filter(pk__in=seats.values("member"))))
    found = {one.pk: one for one in lock_all_licenses(organization)}
    if not set(seats.values_list("member_id", flat=True)) <= people:
        return None
    return found.get(key)


def _record(bought: License, action: Action, **after: object) -> None:
    record(
        organization=bought.organization,
        actor=Actor.system(),
        action=action,
        subject=bought,
        after={"product": bought.product.code, **after},
    )
