"""Numbers brought along from another carrier: ordered, answered, and here; by people, operators and commands."""

import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from members.access import Actor
from members.letter_texts import compose
from members.models import AuditEntry, Letter, Member, Organization
from skypemgr.clock import database_now
from telephony.licensing import today_of
from telephony.models import NumberOwnership, PhoneNumber, PortNumber, PortOrder, PortStep
from telephony.port_errors import NumberNotPortable, OrderMovedOn, PortAddressElsewhere, ReasonNeeded
from telephony.porting import Letter as Scan
from telephony.porting import PortRequest, is_settled
from telephony.quotas import quota_of
from telephony.services.porting import (
    advance_port_order,
    cancel_port_order,
    complete_port_order,
    move_port_order,
    order_port,
)
from telephony.services.reservations import reserve_numbers
from tests.factories import (
    EmergencyAddressFactory,
    MemberFactory,
    OrganizationFactory,
    PhoneNumberFactory,
    PortOrderFactory,
)
from tests.letters import written
from tests.refusals import refused
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 signed"
LYON = "+33478000001"


@pytest.fixture
def manager(client):
    member = MemberFactory(role=Member.Role.VOICE_MANAGER)
    open_voice(member.organization)
    client.force_login(member.user)
    return member


@pytest.fixture
def address(manager):
    return EmergencyAddressFactory(organization=manager.organization, name="Siège")


def request_of(address, *numbers, **facts):
    return PortRequest(
        **{
            "name": "Lyon",
            "numbers": numbers or (LYON,),
            "country": "FR",
            "type": "user",
            "city": "Lyon",
            "carrier": "Télécom du Rhône",
            "account_number": "4711",
            "authorized_by": "Zoé Martin",
            "emergency_address": address,
            "letter": Scan("letter.pdf", PDF),
            **facts,
        }
    )


def ordered(member, address, *numbers, **facts):
    return order_port(
        actor=Actor.of_member(member),
        organization=member.organization,
        request=request_of(address, *numbers, **facts),
        key=uuid4(),
    )


def advanced(order, state, **facts):
    return advance_port_order(actor=Actor.system(), organization=order.organization, order=order, state=state, **facts)


def approved(order, days=5):
    advanced(order, "contacting")
    return advanced(order, "approved", transfer_on=today_of(order.organization) + timedelta(days=days))


def completed(order):
    return complete_port_order(actor=Actor.system(), organization=order.organization, order=order)


def called_off(member, order):
    return cancel_port_order(actor=Actor.of_member(member), organization=member.organization, order=order)


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_completed_order_brings_its_numbers_in_beside_the_quota(manager, address):
    order = approved(ordered(manager, address, LYON, "+33478000002"))

    brought = completed(order)
    again = completed(order)

    assert [number.number for number in brought] == [LYON, "+33478000002"] == [number.number for number in again]
    number = PhoneNumber.objects.get(number=LYON)
    assert (number.organization, number.source, number.emergency_address) == (manager.organization, "ported", address)
    assert (number.area.country, number.area.city, number.area.type) == ("FR", "Lyon", "user")
    assert NumberOwnership.objects.filter(organization=manager.organization, source="ported", until=None).count() == 2
    assert (quota_of(manager.organization).owned, quota_of(manager.organization).taken) == (0, 0)
    assert list(order.steps.order_by("pk").values_list("state", flat=True)) == [
        "processing",
        "contacting",
        "approved",
        "completed",
    ]
    assert AuditEntry.objects.filter(action="number.ported").count() == 2


def test_a_number_of_the_stock_that_nobody_owns_is_brought_in_as_well(manager, address):
    PhoneNumberFactory(number=LYON, monthly_price=2, currency="EUR")

    completed(approved(ordered(manager, address)))

    number = PhoneNumber.objects.get(number=LYON)
    assert (number.organization, number.source, number.monthly_price) == (manager.organization, "ported", None)


def test_a_number_has_one_open_order_and_no_owner_here(manager, address):
    ordered(manager, address)
    other = MemberFactory(role=Member.Role.VOICE_MANAGER)
    open_voice(other.organization)
    site = EmergencyAddressFactory(organization=other.organization)
    PhoneNumberFactory(organization=other.organization, number="+33478000009")

    with pytest.raises(NumberNotPortable):
        ordered(other, site)
    with pytest.raises(NumberNotPortable):
        ordered(manager, address, "+33478000009")

    called_off(manager, PortOrder.objects.get())
    assert ordered(other, site).numbers.get().number == LYON


def test_the_database_lets_one_open_order_have_a_number_and_keeps_the_history(manager, address):
    order = ordered(manager, address)
    other = PortOrderFactory(organization=manager.organization)

    refused(lambda: PortNumber.objects.filter(order=other).update(number=LYON), "port_number_in_one_open_order")
    refused(lambda: PortStep.objects.filter(order=order).update(note="x"), "Cannot update or delete")
    refused(lambda: PortStep.objects.filter(order=order).delete(), "Cannot update or delete")
    elsewhere = OrganizationFactory()
    refused(lambda: PortNumber.objects.filter(order=order).update(organization=elsewhere), "port_number_of_order")
    refused(lambda: PortOrder.objects.filter(pk=order.pk).update(state="approved"), "port_order_approved_for_a_day")


def test_states_lead_only_where_they_lead(manager, address):
    order = ordered(manager, address)

    for state in ("approved", "completed", "canceled", "processing"):
        with pytest.raises(OrderMovedOn):
            advanced(order, state, transfer_on=today_of(order.organization) + timedelta(days=9), reason="x")
    with pytest.raises(OrderMovedOn):
        completed(order)
    advanced(order, "rejected", reason="Wrong account")
    with pytest.raises(OrderMovedOn):
        called_off(manager, order)


def test_only_an_approved_order_has_a_day_to_move(manager, address):
    order = ordered(manager, address)
    with pytest.raises(OrderMovedOn):
        moved(manager, order, 9)

    moved(manager, approved(order), 9)

    assert PortOrder.objects.get().transfer_on == today_of(order.organization) + timedelta(days=9)


def test_an_approved_order_is_completed_by_what_brings_its_numbers_in_and_by_nothing_else(manager, address):
    order = approved(ordered(manager, address))

    with pytest.raises(OrderMovedOn):
        advanced(order, "completed")

    assert not PhoneNumber.objects.filter(number=LYON).exists()


def test_a_rejection_says_why(manager, address):
    order = ordered(manager, address)

    with pytest.raises(ReasonNeeded):
        advanced(order, "rejected")

    assert PortOrder.objects.get().state == "processing"


def test_who_calls_off_twice_calls_off_once(manager, address):
    order = ordered(manager, address)

    assert [called_off(manager, order).state for _time in range(2)] == ["canceled", "canceled"]
    assert order.steps.filter(state="canceled").count() == 1


def test_an_order_names_an_address_in_the_country_of_its_numbers(manager):
    elsewhere = EmergencyAddressFactory(organization=manager.organization, country="SE")

    with pytest.raises(PortAddressElsewhere):
        ordered(manager, elsewhere)


def test_a_number_that_somebody_acquired_meanwhile_is_not_brought_in(manager, address):
    order = approved(ordered(manager, address))
    owner = PhoneNumberFactory(number=LYON, organization=OrganizationFactory()).organization

    with pytest.raises(NumberNotPortable):
        completed(order)

    assert PhoneNumber.objects.get(number=LYON).organization == owner


def test_a_number_that_somebody_holds_is_taken_from_the_reservation_when_it_is_brought_in(manager, address):
    number, other = PhoneNumberFactory(number=LYON), OrganizationFactory()
    open_voice(other)
    reservation = reserve_numbers(actor=Actor.system(), organization=other, area=number.area, quantity=1, key=uuid4())

    completed(approved(ordered(manager, address)))

    number.refresh_from_db()
    assert (number.organization, number.reservation, number.reserved_until) == (manager.organization, None, None)
    assert list(PhoneNumber.objects.filter(reservation=reservation)) == []


@pytest.mark.parametrize(("zone", "settled"), [("Pacific/Kiritimati", True), ("Pacific/Pago_Pago", False)])
def test_the_day_of_a_transfer_begins_where_its_company_is(zone, settled):
    order = PortOrder(state="approved", transfer_on=date(2026, 11, 23), organization=Organization(time_zone=zone))

    # It is eleven hours to go in the one place, and 36 in the other.
    assert is_settled(order, datetime(2026, 11, 21, 23, tzinfo=UTC)) == settled


def moved(member, order, days):
    day = today_of(order.organization) + timedelta(days=days)
    return move_port_order(
        actor=Actor.of_member(member), organization=member.organization, order=order, transfer_on=day
    )


def test_in_the_last_day_nothing_changes_any_more(manager, address):
    order = approved(ordered(manager, address), days=1)
    tomorrow = today_of(order.organization) + timedelta(days=9)

    with pytest.raises(OrderMovedOn):
        called_off(manager, order)
    with pytest.raises(OrderMovedOn):
        move_port_order(
            actor=Actor.of_member(manager), organization=manager.organization, order=order, transfer_on=tomorrow
        )
    assert PortOrder.objects.get().transfer_on == today_of(order.organization) + timedelta(days=1)


def test_whoever_ordered_gets_a_letter_for_what_is_so_still(manager, address):
    order = ordered(manager, address)
    assert not Letter.objects.filter(kind="port_order").exists()

    advanced(order, "rejected", reason="The account number is another one")

    letter = Letter.objects.get(kind="port_order")
    told = written(letter)
    assert letter.email == manager.user.email
    assert "The carrier has rejected your port order" in told.subject
    assert "The account number is another one" in told.body
    Member.objects.filter(pk=manager.pk).update(role="member")
    assert compose(Letter.objects.get(pk=letter.pk)) is None


# In the browser


def url(member, name, *args):
    return reverse(f"porting:{name}", args=[member.organization.slug, *args])


def typed(address, **facts):
    return {
        "name": "Lyon",
        "country": "FR",
        "type": "user",
        "city": "Lyon",
        "numbers": "04 78 00 00 01\n\n+33 4 78 00 00 02",
        "carrier": "Télécom du Rhône",
        "account_number": "4711",
        "authorized_by": "Zoé Martin",
        "emergency_address": address.pk,
        "letter": SimpleUploadedFile("letter.pdf", PDF),
        "key": uuid4(),
        **facts,
    }


def test_an_order_is_placed_once_however_often_it_is_sent(client, manager, address):
    key = uuid4()

    first = client.post(url(manager, "order_add"), typed(address, key=key), follow=True)
    client.post(url(manager, "order_add"), typed(address, key=key))

    order = PortOrder.objects.get()
    assert "2 numbers are on their way." in text_of(first)
    assert "+33 4 78 00 00 02" in text_of(first)
    assert order.numbers.count() == 2
    letter = client.get(url(manager, "order_letter", order.pk))
    assert (letter.content, letter["Content-Type"]) == (PDF, "application/pdf")
    assert letter["Content-Disposition"].startswith("attachment")
    file = b"".join(client.get(url(manager, "order_numbers", order.pk)).streaming_content).decode()
    assert file.replace("\ufeff", "").split() == ["PhoneNumber", "33478000001", "33478000002"]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"numbers": ""}, "Name the numbers to bring along"),
        ({"numbers": "04 78 00 00 01\n12"}, "Line 2:"),
        ({"numbers": "+46 8 505 000 00"}, "is not a number of the country FR"),
        ({"numbers": "\n".join(f"+33478{n:06}" for n in range(1000))}, "at most 999 numbers"),
        ({"letter": ""}, "Attach the signed letter"),
        ({"letter": SimpleUploadedFile("letter.pdf", b"<html>")}, "must be a PDF, PNG or JPEG file"),
        ({"letter": SimpleUploadedFile("l.pdf", PDF + b" " * 5 * 1024 * 1024)}, "larger than 5 MB"),
        ({"emergency_address": ""}, "Numbers of this country come with an emergency address"),
        ({"wanted_on": "2020-01-01"}, "still to come"),
        ({"carrier": "a\u202eb"}, "U+202E"),
        ({"billing_number": "12"}, "is not a number that can be called"),
        (
            {"file": SimpleUploadedFile("n.csv", b"PhoneNumber,City\n33478000001,Lyon\n")},
            "needs one column, PhoneNumber",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_ordered(client, manager, address, facts, told):
    response = client.post(url(manager, "order_add"), typed(address, **facts))

    assert response.status_code == 422
    assert told in text_of(response)
    assert not PortOrder.objects.exists()


def test_the_numbers_come_as_a_file_with_one_column(client, manager, address):
    file = SimpleUploadedFile("numbers.csv", b"PhoneNumber\n33478000001\n+33 4 78 00 00 02\n")

    client.post(url(manager, "order_add"), typed(address, numbers="", file=file))

    assert list(PortNumber.objects.values_list("number", flat=True)) == [LYON, "+33478000002"]


def test_a_rejected_order_is_corrected_and_ordered_again_with_its_letter(client, manager, address):
    order = ordered(manager, address)
    assert client.get(url(manager, "order_change", order.pk)).status_code == 302
    advanced(order, "rejected", reason="Wrong account")

    shown = text_of(client.get(url(manager, "order_change", order.pk)))
    client.post(
        url(manager, "order_change", order.pk),
        typed(address, numbers="+33478000007", account_number="4712", letter=""),
    )

    order.refresh_from_db()
    assert LYON in shown
    assert (order.state, order.account_number) == ("processing", "4712")
    assert [(one.number, one.open) for one in order.numbers.all()] == [("+33478000007", True)]
    assert order.letters.count() == 1


def test_the_day_is_moved_and_the_order_canceled_on_its_page(client, manager, address):
    order = approved(ordered(manager, address))
    later = today_of(order.organization) + timedelta(days=20)

    past = client.post(url(manager, "order_move", order.pk), {"transfer_on": "2020-01-01"})
    client.post(url(manager, "order_move", order.pk), {"transfer_on": later.isoformat()})
    order.refresh_from_db()
    moved = order.transfer_on
    client.post(url(manager, "order_cancel", order.pk), {"reason": "We stay"})

    order.refresh_from_db()
    assert (past.status_code, moved, order.state) == (422, later, "canceled")
    assert not order.numbers.filter(open=True).exists()
    assert "We stay" in text_of(client.get(url(manager, "order_detail", order.pk)))


def test_the_list_is_narrowed_by_state_and_costs_as_many_queries_for_twenty(
    client, manager, address, django_assert_max_num_queries
):
    assert "Nothing is on its way" in text_of(client.get(url(manager, "order_list")))
    PortOrderFactory.create_batch(20, organization=manager.organization)
    PortOrderFactory(name="Elsewhere")

    with django_assert_max_num_queries(14):
        shown = text_of(client.get(url(manager, "order_list")))

    assert "20 of 20 orders" in shown
    assert "Elsewhere" not in shown
    assert "No order is in this state" in text_of(client.get(url(manager, "order_list") + "?state=completed"))


# Operators


def ops(name, *args):
    return reverse(f"porting_ops:{name}", args=args)


def test_an_operator_takes_an_order_to_its_end(client, manager, address, operator):
    order = ordered(manager, address)
    day = database_now().date() + timedelta(days=3)

    assert "Lyon" in text_of(client.get(ops("order_list")))
    assert client.get(ops("order_letter", order.pk)).content == PDF
    client.post(ops("order_contact", order.pk))
    wrong = client.post(ops("order_approve", order.pk), {"transfer_on": "2020-01-01"})
    client.post(ops("order_approve", order.pk), {"transfer_on": day.isoformat()})
    done = client.post(ops("order_complete", order.pk), follow=True)
    again = client.post(ops("order_contact", order.pk))

    assert wrong.status_code == again.status_code == 422
    assert f"1 number belongs to {manager.organization.name} now." in text_of(done)
    assert "Nothing to do" in text_of(done)
    assert PhoneNumber.objects.get(number=LYON).organization == manager.organization
    assert "No order waits" in text_of(client.get(ops("order_list")))


def test_an_operator_rejects_an_order_with_what_the_carrier_says(client, manager, address, operator):
    order = ordered(manager, address)

    silent = client.post(ops("order_reject", order.pk), {"reason": " "})
    client.post(ops("order_reject", order.pk), {"reason": "Wrong account"})

    order.refresh_from_db()
    assert (silent.status_code, order.state) == (422, "rejected")


# Commands


def run(name, *arguments):
    out = io.StringIO()
    call_command(name, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_commands_order_answer_and_list(manager, address, tmp_path):
    file, letter = tmp_path / "numbers.csv", tmp_path / "letter.pdf"
    file.write_text("PhoneNumber\n33478000001\n")
    letter.write_bytes(PDF)
    here = ["--organization", manager.organization.slug]
    facts = ["--name", "Lyon", "--country", "fr", "--city", "Lyon", "--carrier", "Rhône", "--account-number", "4711"]
    facts += ["--signed-by", "Zoé Martin", "--letter", str(letter), "--emergency-address", "Siège"]

    tried = run("order_port", str(file), *facts, *here, "--dry-run")
    order = run("order_port", str(file), *facts, *here)["order"]
    answer = ["--order", str(order), *here]
    run("advance_port_order", *answer, "--state", "contacting")
    day = (database_now().date() + timedelta(days=2)).isoformat()
    run("advance_port_order", *answer, "--state", "approved", "--date", day)
    done = run("advance_port_order", *answer, "--state", "completed")

    assert (tried["order"], tried["numbers"]) == (None, [LYON])
    assert done == {"order": order, "state": "completed", "numbers": [LYON]}
    assert [(one["state"], one["numbers"], one["transfer_on"]) for one in run("list_port_orders", *here)] == [
        ("completed", 1, day)
    ]
    file.write_text("PhoneNumber\n12\n")
    with pytest.raises(CommandError, match="Line 1:"):
        run("order_port", str(file), *facts, *here)
