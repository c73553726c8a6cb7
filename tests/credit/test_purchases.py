"""Orders, the payments that come in for them, invoices, and what goes back."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.utils import timezone

from credit.errors import (
    AmountAboveLimit,
    AmountDiffers,
    BillingMissing,
    CreditDiffers,
    MonthAboveLimit,
    NoReference,
    NoSuchOrder,
    OrderClosed,
    OrderOfAnother,
    PaidByCard,
    ReferenceUsed,
    RefundTooLarge,
    SellerIncomplete,
)
from credit.funding import owed_by
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import BillingProfile, Invoice, Order, Payment, Refund, Seller, Transfer
from credit.purchases import place
from credit.selectors.balances import wallet_balance
from credit.sellers import price_for
from credit.services.billing import change_billing, change_seller, record_vat_check
from credit.services.orders import (
    cancel_order,
    confirm_order,
    expire_orders,
    place_order,
    receive_payment,
    refund_order,
)
from members.access import Actor
from members.errors import KeyReused
from members.models import AuditEntry, Letter, Member
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system()
ADDRESS = {"street": "1 rue Neuve", "city": "Lyon", "country": "FR", "email": "bills@people.example"}


@pytest.fixture
def boss():
    member = MemberFactory(admin=True)
    BillingProfile.objects.create(organization=member.organization, name="Architectes", **ADDRESS)
    return member


@pytest.fixture
def organization(boss):
    return boss.organization


def buy(boss, amount="100", key=None):
    return place_order(
        actor=Actor.of_member(boss), organization=boss.organization, amount=Decimal(amount), key=key or uuid4()
    )


def confirm(order, amount=None, actor=SYSTEM):
    amount = order.gross if amount is None else Decimal(amount)
    return confirm_order(actor=actor, organization=order.organization, order=order, amount=amount)


def receive(organization, amount="100", reference="statement 7"):
    return receive_payment(actor=SYSTEM, organization=organization, amount=Decimal(amount), reference=reference)


def refund(order, amount, key=None):
    return refund_order(
        actor=SYSTEM,
        organization=order.organization,
        order=order,
        amount=Decimal(amount),
        reason="Asked for",
        key=key or uuid4(),
    )


def books_agree(organization):
    invoices = Invoice.objects.filter(organization=organization)
    billed = {kind: invoices.filter(kind=kind).aggregate(gross=Sum("gross"), net=Sum("net")) for kind in Invoice.Kind}
    paid = Payment.objects.filter(organization=organization).aggregate(Sum("amount"))["amount__sum"]
    back = Refund.objects.filter(organization=organization).aggregate(Sum("gross"))["gross__sum"]
    moved = {
        operation: Transfer.objects.filter(organization=organization, operation=operation).aggregate(Sum("amount"))
        for operation in ("purchase", "refund")
    }
    assert (billed["invoice"]["gross"], billed["credit_note"]["gross"]) == (paid, back)
    assert billed["invoice"]["net"] == moved["purchase"]["amount__sum"]
    assert billed["credit_note"]["net"] == moved["refund"]["amount__sum"]
    return True


# Ordering


def test_an_order_says_what_it_costs_and_gives_no_credit(boss, organization):
    order = buy(boss)

    assert (order.net, order.vat_rate, order.vat, order.gross) == (100, 20, 20, 120)
    assert order.number == f"O-{timezone.now().year}-{order.pk:06}"
    assert (order.state, order.placed_by) == ("waiting", boss)
    assert wallet_balance(organization) == 0
    assert Letter.objects.get(organization=organization).kind == "order_placed"
    assert AuditEntry.objects.get(organization=organization).action == "order.placed"


def test_a_form_sent_twice_orders_once(boss, organization):
    key = uuid4()

    assert buy(boss, key=key) == buy(boss, key=key)
    assert Order.objects.count() == Letter.objects.count() == 1
    with pytest.raises(KeyReused):
        buy(boss, "101", key=key)


def test_nobody_orders_without_billing_data_or_a_seller(boss, organization, settings):
    settings.LOCAL = False
    with pytest.raises(SellerIncomplete, match="Name, Street and number, City, Country"):
        buy(boss)
    settings.LOCAL = True
    BillingProfile.objects.all().delete()
    with pytest.raises(BillingMissing):
        buy(boss)


def test_an_order_stays_within_the_limits(boss, organization, settings):
    settings.ORDER_LIMIT, settings.ORDERS_PER_MONTH_LIMIT = 100, 150
    with pytest.raises(AmountAboveLimit, match=r"€100\.00"):
        buy(boss, "100.01")
    first = buy(boss, "100")
    with pytest.raises(MonthAboveLimit, match=r"€50\.00 is left"):
        buy(boss, "50.01")
    cancel_order(actor=Actor.of_member(boss), organization=organization, order=first)

    assert buy(boss, "100").net == 100


def test_the_limit_of_a_month_begins_anew_with_the_month_of_the_organization(boss, organization, settings):
    settings.ORDERS_PER_MONTH_LIMIT = 100
    order = buy(boss)
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - timedelta(days=32))

    assert buy(boss).net == 100


def test_only_who_manages_credit_orders_and_only_operators_confirm(boss, organization):
    order = buy(boss)
    manager = MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER)

    with pytest.raises(PermissionDenied):
        buy(manager)
    with pytest.raises(PermissionDenied):
        confirm(order, actor=Actor.of_member(boss))
    with pytest.raises(PermissionDenied):
        cancel_order(actor=Actor.of_member(MemberFactory(admin=True)), organization=organization, order=order)


# Paying


def test_a_confirmed_transfer_puts_the_net_into_the_wallet_with_an_invoice(boss, organization):
    order = buy(boss)
    Letter.objects.all().delete()

    payment = confirm(order)

    order.refresh_from_db()
    invoice = payment.invoice
    assert (order.state, wallet_balance(organization)) == ("paid", 100)
    assert (payment.amount, payment.reference, payment.gateway) == (120, order.number, "bank_transfer")
    assert (invoice.net, invoice.vat, invoice.gross, invoice.sequence) == (100, 20, 120, 1)
    assert (invoice.buyer["name"], invoice.seller["vat_id"]) == ("Architectes", "LU12345613")
    assert set(Letter.objects.values_list("kind", "email")) == {
        ("invoice", boss.user.email),
        ("invoice", "bills@people.example"),
    }
    assert books_agree(organization)


def test_a_transfer_confirmed_again_is_the_same_payment(boss, organization):
    order = buy(boss)

    assert confirm(order) == confirm(order)
    assert receive(organization, reference=order.number).order == order
    assert wallet_balance(organization) == 100
    with pytest.raises(OrderClosed):
        confirm(order, "119")


@pytest.mark.parametrize(("amount", "advice"), [("100", "€20.00 that is missing"), ("121", "€1.00 that is too much")])
def test_another_amount_than_the_orders_is_refused_with_what_to_do(boss, organization, amount, advice):
    order = buy(boss)

    with pytest.raises(AmountDiffers, match=advice):
        confirm(order, amount)
    order.refresh_from_db()
    assert (order.state, wallet_balance(organization), Invoice.objects.count()) == ("waiting", 0, 0)


def test_what_is_closed_is_neither_confirmed_nor_canceled(boss, organization):
    canceled, paid = buy(boss), buy(boss)
    actor = Actor.of_member(boss)
    assert cancel_order(actor=actor, organization=organization, order=canceled).state == "canceled"
    assert cancel_order(actor=actor, organization=organization, order=canceled).state == "canceled"
    confirm(paid)

    with pytest.raises(OrderClosed):
        confirm(canceled)
    with pytest.raises(OrderClosed):
        cancel_order(actor=actor, organization=organization, order=paid)


def test_an_order_of_another_organization_is_nobodys(boss):
    order = buy(boss)
    stranger = MemberFactory(admin=True)

    with pytest.raises(NoSuchOrder):
        cancel_order(actor=Actor.of_member(stranger), organization=stranger.organization, order=order)
    with pytest.raises(NoSuchOrder):
        confirm_order(actor=SYSTEM, organization=stranger.organization, order=order, amount=order.gross)
    with pytest.raises(OrderOfAnother):
        receive(stranger.organization, reference=order.number)


def test_an_order_by_card_is_not_confirmed_by_hand(boss, organization):
    price = price_for(organization, Decimal(100))
    order = place(organization=organization, actor=SYSTEM, price=price, method=Order.Method.CARD, key=uuid4())

    for act in (lambda: confirm(order), lambda: receive(organization, reference=order.number)):
        with pytest.raises(PaidByCard):
            act()


def test_a_payment_received_is_credit_once_for_each_reference(organization):
    first, again = receive(organization), receive(organization)

    assert (first.new, again.new, first.order) == (True, False, again.order)
    assert wallet_balance(organization) == 100
    assert books_agree(organization)
    with pytest.raises(ReferenceUsed, match=r"€100\.00"):
        receive(organization, "101")
    assert wallet_balance(organization) == 100


def test_the_number_of_an_order_that_waits_confirms_this_order(boss, organization):
    order = buy(boss)

    with pytest.raises(CreditDiffers):
        receive(organization, "120", order.number)
    assert receive(organization, "100", order.number.lower()).order == order
    assert (Order.objects.count(), wallet_balance(organization)) == (1, 100)


def test_money_for_a_canceled_order_is_an_order_of_its_own(boss, organization):
    order = buy(boss)
    cancel_order(actor=Actor.of_member(boss), organization=organization, order=order)

    received = receive(organization, "100", order.number)

    assert received.order != order
    assert receive(organization, "100", order.number).new is False
    assert wallet_balance(organization) == 100


def test_a_payment_needs_a_reference_and_an_invoice_is_made_out_without_billing_data(organization):
    BillingProfile.objects.all().delete()
    for reference in ("", "x" * 201):
        with pytest.raises(NoReference):
            receive(organization, reference=reference)

    invoice = receive(organization).order.payment.invoice
    assert (invoice.buyer["name"], invoice.buyer["country"]) == (organization.name, "FR")


def test_an_order_expires_when_nobody_has_paid_it_for_long(boss, organization):
    order, other = buy(boss), buy(boss)
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert (expire_orders(), expire_orders()) == (1, 0)
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.state, other.state) == ("expired", "waiting")
    assert AuditEntry.objects.filter(action="order.expired").count() == 1


# Invoices


def test_an_invoice_keeps_the_buyer_and_seller_of_its_day(boss, organization):
    invoice = confirm(buy(boss)).invoice
    change_seller(actor=SYSTEM, fields={"name": "Another", "country": "LU", "vat_rates": {"LU": "17"}})
    BillingProfile.objects.update(name="Renamed")

    invoice.refresh_from_db()
    assert (invoice.buyer["name"], invoice.seller["name"]) == ("Architectes", "Skype Manager Demo S.à r.l.")
    assert Seller.objects.get().name == "Another"


def test_a_correction_of_the_address_comes_onto_the_invoice_but_not_another_country(boss, organization):
    corrected, moved = buy(boss), buy(boss)
    BillingProfile.objects.update(street="2 rue Neuve")
    assert confirm(corrected).invoice.buyer["street"] == "2 rue Neuve"
    BillingProfile.objects.update(country="US", street="Elsewhere")

    invoice = confirm(moved).invoice
    assert (invoice.buyer["country"], invoice.buyer["street"], invoice.vat) == ("FR", "1 rue Neuve", 20)


def test_reverse_charge_applies_from_the_recorded_evidence_on(boss, organization):
    fields = {**ADDRESS, "name": "Architectes", "vat_id": "FR40303265045"}
    change_billing(actor=Actor.of_member(boss), organization=organization, fields=fields)
    assert buy(boss).vat == 20

    def look_up(valid):
        record_vat_check(
            actor=SYSTEM,
            organization=organization,
            vat_id="FR40303265045",
            valid=valid,
            checked_on=timezone.localdate(),
            reference="VIES 1",
        )

    look_up(valid=True)
    order = buy(boss)
    assert (order.treatment, order.vat, order.gross) == ("reverse_charge", 0, 100)
    look_up(valid=False)
    assert buy(boss).vat == 20


def test_another_vat_id_has_no_evidence(boss, organization):
    BillingProfile.objects.update(vat_id="FR40303265045")
    record_vat_check(
        actor=SYSTEM,
        organization=organization,
        vat_id="FR83404833048",
        valid=True,
        checked_on=timezone.localdate(),
        reference="VIES 1",
    )

    assert buy(boss).vat == 20


# Refunds


def test_a_refund_takes_its_net_from_the_wallet_and_has_a_credit_note(boss, organization):
    order = buy(boss)
    invoice = confirm(order).invoice
    key = uuid4()

    back = refund(order, "60", key)

    note = back.credit_note
    assert (back.net, back.vat, back.gross, back.reference) == (50, 10, 60, f"{order.number}-R1")
    assert (note.kind, note.corrects, note.gross, note.sequence) == ("credit_note", invoice, 60, 1)
    assert wallet_balance(organization) == 50
    assert refund(order, "60", key) == back
    with pytest.raises(RefundTooLarge, match=r"€60\.00"):
        refund(order, "60.01")
    refund(order, "60")
    order.refresh_from_db()
    assert (order.state, wallet_balance(organization)) == ("refunded", 0)
    with pytest.raises(OrderClosed):
        refund(order, "1")
    assert books_agree(organization)


def test_what_the_wallet_lacks_for_a_refund_is_owed_and_the_next_purchase_pays_it_first(boss, organization):
    order = buy(boss)
    confirm(order)
    member = MemberFactory(organization=organization)
    target = accounts_of(organization, [member])[member.pk]
    move = Move(account_of(organization, "wallet"), target, Decimal(70), uuid4())
    post(organization=organization, operation="allocation", moves=[move], actor=SYSTEM)

    refund(order, "120")

    assert (wallet_balance(organization), owed_by(organization)) == (0, 70)
    confirm(buy(boss))
    assert (wallet_balance(organization), owed_by(organization)) == (30, 0)


def test_an_order_that_was_not_paid_is_not_refunded(boss):
    with pytest.raises(OrderClosed):
        refund(buy(boss), "1")
