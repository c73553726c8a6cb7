"""Voice in the browser: steps, the list of numbers, adding and giving back."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.access import Actor
from members.models import AuditEntry, Member
from skypemgr.clock import database_now
from telephony.assigning import Pairing
from telephony.errors import TooManyNumbers
from telephony.models import LicenseAssignment, NumberTag, PhoneNumber, Reservation
from telephony.services.assignments import assign_numbers
from telephony.services.disclaimers import accept_disclaimer
from telephony.services.numbers import release_numbers, tag_numbers, untag_numbers
from telephony.services.reservations import reserve_numbers
from tests.factories import EmergencyAddressFactory, LicenseFactory, MemberFactory, PhoneNumberFactory, SeatFactory
from tests.telephony.stock import allow, stocked
from tests.telephony.test_reservations import pass_time
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client):
    member = MemberFactory(role=Member.Role.VOICE_MANAGER, organization__country="US")
    open_voice(member.organization)
    client.force_login(member.user)
    return member


@pytest.fixture
def seated():
    """Who looks after Voice, and three people with Phone System and a number."""
    manager = MemberFactory(role=Member.Role.VOICE_MANAGER, organization__country="US")
    organization = manager.organization
    bought = LicenseFactory(organization=organization)
    accept_disclaimer(actor=Actor.system(), organization=organization, country="US")
    site = EmergencyAddressFactory(organization=organization, country="US")
    people = [SeatFactory(license=bought).member for _place in range(3)]
    pairings = [Pairing(member, PhoneNumberFactory(organization=organization), site) for member in people]
    given = assign_numbers(actor=Actor.system(), organization=organization, pairings=pairings, key=uuid4())
    return manager, given


def url(member, name, *args):
    return reverse(f"telephony:{name}", args=[member.organization.slug, *args])


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def reserve(member, area, quantity):
    return reserve_numbers(
        actor=Actor.of_member(member), organization=member.organization, area=area, quantity=quantity, key=uuid4()
    )


def test_without_a_license_voice_is_not_in_the_menu_and_its_pages_say_why(client):
    member = MemberFactory(admin=True)
    client.force_login(member.user)

    for name in ("voice", "number_list", "numbers_add"):
        response = client.get(url(member, name))
        assert response.status_code == 403
        assert "Voice needs a license first" in text_of(response)
    home = client.get(f"/{member.organization.slug}/")
    assert url(member, "voice") not in home.content.decode()


def test_with_a_license_voice_is_in_the_menu(client, manager):
    assert url(manager, "voice") in client.get(url(manager, "voice")).content.decode()


@pytest.mark.parametrize(
    ("country", "first"),
    [("US", "Get phone numbers"), ("CA", "Get phone numbers"), ("FR", "Add emergency addresses and places")],
)
def test_outside_the_us_and_canada_addresses_come_before_numbers(client, manager, country, first):
    type(manager.organization).objects.update(country=country)

    text = text_of(client.get(url(manager, "voice")))

    steps = ["Get phone numbers", "Add emergency addresses and places"]
    found = sorted(steps, key=text.index)
    assert found[0] == first


def test_the_page_says_how_many_numbers_there_may_be_and_why(client, manager):
    text = text_of(client.get(url(manager, "number_list")))

    assert "20 licenses + 2 (10%) + 10 = 32 numbers" in text


def test_numbers_are_reserved_shown_and_acquired(client, manager):
    redmond, seattle = stocked(3), stocked(3, city="Seattle")
    for area in (redmond, seattle):
        sent = {"area": area.pk, "quantity": "2", "key": uuid4()}
        assert client.post(url(manager, "numbers_add"), sent).status_code == 302
    page = client.get(url(manager, "numbers_add"))
    held = list(PhoneNumber.objects.held_by(manager.organization).order_by("number"))
    assert len(held) == 4
    for number in held:
        assert f'value="{number.number}"' in page.content.decode()
    assert 'role="timer"' in page.content.decode()

    sent = {
        "reservation": [reservation.pk for reservation in Reservation.objects.all()],
        "number": [number.number for number in held[1:]],
        "key": uuid4(),
    }
    response = client.post(url(manager, "numbers_acquire"), sent, follow=True)

    assert response.redirect_chain[-1][0] == url(manager, "number_list")
    assert PhoneNumber.objects.of(manager.organization).count() == 3
    assert PhoneNumber.objects.free().count() == 3


def test_an_emergency_address_is_asked_for_where_numbers_come_with_one(client, manager):
    area = stocked(1, country="FR", region="Occitanie", city="Toulouse")
    reservation = reserve(manager, area, 1)
    number = reservation.numbers.get()
    page = text_of(client.get(url(manager, "numbers_add")))
    assert "Numbers in France come with an emergency address. Add one there first." in page
    address = EmergencyAddressFactory(organization=manager.organization)
    sent = {"reservation": reservation.pk, "number": number.number, "key": uuid4()}

    assert client.post(url(manager, "numbers_acquire"), sent).status_code == 422
    sent |= {"address_FR": address.pk, "accept_FR_1": "on"}
    assert client.post(url(manager, "numbers_acquire"), sent).status_code == 302

    number.refresh_from_db()
    assert number.emergency_address == address


def test_whoever_comes_too_late_is_told_and_acquires_nothing(client, manager):
    reservation = reserve(manager, stocked(1), 1)
    number = reservation.numbers.get().number
    pass_time(601)

    sent = {"reservation": reservation.pk, "number": number, "key": uuid4()}
    response = client.post(url(manager, "numbers_acquire"), sent, follow=True)

    assert "The time for the numbers of Redmond, Washington, US is over." in text_of(response)
    assert not PhoneNumber.objects.of(manager.organization).exists()


def test_a_page_that_shows_that_it_is_over_writes_it_down(client, manager):
    reservation = reserve(manager, stocked(1), 1)
    pass_time(601)

    client.get(url(manager, "numbers_add"))

    reservation.refresh_from_db()
    assert reservation.ended == "expired"


def test_reserved_numbers_are_let_go(client, manager):
    reservation = reserve(manager, stocked(2), 2)

    assert client.post(url(manager, "reservation_cancel", reservation.pk)).status_code == 302

    assert PhoneNumber.objects.free().count() == 2


def test_more_than_the_quota_allows_is_refused_beside_the_quantity(client, manager):
    area = stocked(5)
    allow(manager.organization, 2)

    response = client.post(url(manager, "numbers_add"), {"area": area.pk, "quantity": "3", "key": uuid4()})

    assert response.status_code == 422
    assert "You may have 2 numbers for people" in text_of(response)


def test_the_list_is_found_by_any_digits_city_state_and_tag(client, manager):
    own = {"organization": manager.organization}
    redmond = PhoneNumberFactory(**own, number="+14255550123")
    toulouse = PhoneNumberFactory(
        **own, number="+33561004567", area=stocked(0, country="FR", region="Occitanie", city="Toulouse")
    )
    NumberTag.objects.create(**own, number=toulouse, name="Reception", key="reception")

    def found(**query):
        page = client.get(url(manager, "number_list"), query).content.decode()
        return [one.number for one in (redmond, toulouse) if f"/voice/numbers/{one.digits}/" in page]

    assert found() == [redmond.number, toulouse.number]
    assert found(q="550123") == found(q="(425) 555-01") == found(q="redm") == [redmond.number]
    assert found(country="FR") == found(tag="reception") == found(city=toulouse.area_id) == [toulouse.number]
    assert found(state="unassigned") == [redmond.number, toulouse.number]
    assert found(state="cooling_off") == found(type="service") == found(q="99999") == []
    export = client.get(url(manager, "number_export"), {"country": "FR"})
    assert "33561004567" in export.getvalue().decode()
    assert "14255550123" not in export.getvalue().decode()


def test_the_list_tells_numbers_that_wait_from_those_of_people_who_cannot_call(client, seated):
    """Who lost their license keeps the number, and so does an account that was blocked with it."""
    manager, [calling, unlicensed, blocked] = seated
    client.force_login(manager.user)
    LicenseAssignment.objects.filter(member=unlicensed.member).update(ended_at=database_now(), ending="unassigned")
    Member.objects.filter(pk=blocked.member_id).update(state=Member.State.BLOCKED)
    own = {"organization": manager.organization}
    free = PhoneNumberFactory(**own)
    cooling = PhoneNumberFactory(**own, assignable_from=database_now() + timedelta(days=3))

    def found(state):
        return {number.pk for number in client.get(url(manager, "number_list"), {"state": state}).context["page"].rows}

    assert found("unlicensed") == {unlicensed.number_id}
    assert found("blocked") == {blocked.number_id}
    assert found("acquired") == {free.pk}
    assert found("cooling_off") == {cooling.pk}
    assert found("unassigned") == {free.pk, cooling.pk}
    shown = client.get(url(manager, "number_list")).context["rows"]
    lamps = {row[0].pk: [str(text) for _lamp, text in row[1]] for row in shown}
    assert lamps[calling.number_id] == ["Assigned"]
    assert lamps[unlicensed.number_id] == ["Assigned", "No license"]
    assert lamps[blocked.number_id] == ["Assigned", "Blocked"]
    page = client.get(url(manager, "number_detail", cooling.digits))
    assert re.search(r"Cooling off until \w", text_of(page))


def test_pages_of_the_list_follow_each_other(client, manager):
    numbers = PhoneNumberFactory.create_batch(53, organization=manager.organization)

    first = client.get(url(manager, "number_list"))
    [following] = re.findall(r'href="(\?cursor=[^"]+)" rel="next"', first.content.decode())
    second = client.get(url(manager, "number_list") + following.replace("&amp;", "&"))

    shown = [re.findall(r"/voice/numbers/(\d+)/", page.content.decode()) for page in (first, second)]
    assert [len(set(page)) for page in shown] == [50, 3]
    assert sorted({*shown[0], *shown[1]}) == sorted(number.digits for number in numbers)


def test_a_number_is_tagged_once_in_whatever_case(client, manager):
    number = PhoneNumberFactory(organization=manager.organization)
    page = url(manager, "number_detail", number.digits)

    for tag in ("Réception  Nord", "RÉCEPTION nord"):
        assert client.post(page, {"tag": tag}).status_code == 302
    assert list(NumberTag.objects.values_list("name", flat=True)) == ["Réception Nord"]
    assert client.post(page, {"tag": "x" * 51}).status_code == 422
    for place in range(49):
        client.post(page, {"tag": f"Tag {place}"})
    assert client.post(page, {"tag": "One more"}).status_code == 422

    client.post(url(manager, "number_untag", number.digits), {"tag": "réception nord"})

    assert NumberTag.objects.count() == 49


def tagging(member, numbers, **other):
    sent = {"number": [one.pk for one in numbers], "count": str(len(numbers)), "act": "add", "key": uuid4(), **other}
    return lambda client: client.post(url(member, "numbers_tag"), sent)


def tagged():
    return sorted(NumberTag.objects.values_list("number__number", "name"))


def test_many_numbers_get_a_tag_and_lose_it_together(client, manager):
    numbers = PhoneNumberFactory.create_batch(3, organization=manager.organization)
    NumberTag.objects.create(organization=manager.organization, number=numbers[0], name="Sales", key="sales")
    page = client.get(url(manager, "numbers_tag"), {"number": [one.pk for one in numbers[:2]]})
    assert "2 numbers" in text_of(page)

    assert tagging(manager, numbers[:2], tag="SALES")(client).status_code == 302

    assert tagged() == sorted([(numbers[0].number, "Sales"), (numbers[1].number, "SALES")])
    [fact] = AuditEntry.objects.filter(action="number.tagged")
    assert fact.after == {"number": numbers[1].number, "tag": "SALES"}

    tagging(manager, numbers[1:], tag="sales", act="remove")(client)

    assert tagged() == [(numbers[0].number, "Sales")]


def test_a_form_of_tags_sent_again_does_nothing_again(client, manager):
    numbers = PhoneNumberFactory.create_batch(2, organization=manager.organization)
    send = tagging(manager, numbers, tag="Sales")
    send(client)
    tagging(manager, numbers, tag="sales", act="remove")(client)

    assert send(client).status_code == 302

    assert tagged() == []


def test_all_that_match_get_a_tag_of_those_that_were_shown(client, manager):
    numbers = PhoneNumberFactory.create_batch(3, organization=manager.organization)
    asked = {"all": "1", "q": numbers[0].digits}

    page = client.get(url(manager, "numbers_tag"), asked).content.decode()

    assert re.findall(r'name="number" value="(\d+)"', page) == [str(numbers[0].pk)]


def test_more_numbers_than_get_a_tag_at_once_are_refused(client, manager, monkeypatch):
    monkeypatch.setattr("telephony.views.number_tags.MOST_TAGGED", 2)
    monkeypatch.setattr("telephony.services.numbers.MOST_TAGGED", 2)
    numbers = PhoneNumberFactory.create_batch(3, organization=manager.organization)

    page = client.get(url(manager, "numbers_tag"), {"all": "1"}, follow=True)

    assert "At most 2 numbers get a tag at once. Tick fewer." in text_of(page)
    with pytest.raises(TooManyNumbers):
        tag_numbers(actor=Actor.of_member(manager), organization=manager.organization, numbers=numbers, tag="Sales")


def test_when_one_number_has_all_the_tags_it_may_have_none_gets_another(client, manager, monkeypatch):
    monkeypatch.setattr("telephony.services.numbers.MOST_TAGS", 1)
    numbers = PhoneNumberFactory.create_batch(2, organization=manager.organization)
    tagging(manager, numbers[:1], tag="Sales")(client)

    response = tagging(manager, numbers, tag="Reception")(client)

    assert response.status_code == 422
    assert "A number has at most 1 tags" in text_of(response)
    assert tagged() == [(numbers[0].number, "Sales")]


def test_a_number_that_went_meanwhile_asks_for_another_look(client, manager):
    numbers = PhoneNumberFactory.create_batch(2, organization=manager.organization)
    send = tagging(manager, numbers, tag="Sales")
    release_numbers(actor=Actor.of_member(manager), organization=manager.organization, numbers=numbers[:1])

    assert send(client).status_code == 422

    assert tagged() == []


def test_many_numbers_get_a_tag_in_as_many_queries_as_few(manager):
    def queries(number):
        numbers = PhoneNumberFactory.create_batch(number, organization=manager.organization)
        actor = Actor.of_member(manager)
        with CaptureQueriesContext(connection) as asked:
            tag_numbers(actor=actor, organization=manager.organization, numbers=numbers, tag="Sales", key=uuid4())
            untag_numbers(actor=actor, organization=manager.organization, numbers=numbers, tag="Sales", key=uuid4())
        return len(asked)

    assert queries(60) <= queries(5)


def test_numbers_are_given_back_after_a_look_at_them(client, manager):
    numbers = PhoneNumberFactory.create_batch(3, organization=manager.organization)
    ticked = {"number": [number.pk for number in numbers[:2]]}
    page = client.get(url(manager, "numbers_release"), ticked)
    assert "For 90 days nobody but you can acquire them again" in text_of(page)

    assert client.post(url(manager, "numbers_release"), {**ticked, "count": "3"}).status_code == 422
    assert client.post(url(manager, "numbers_release"), {**ticked, "count": "2"}).status_code == 302

    assert PhoneNumber.objects.of(manager.organization).count() == 1


def test_a_number_of_another_organization_is_not_there(client, manager):
    foreign = PhoneNumberFactory(organization=MemberFactory().organization)

    assert client.get(url(manager, "number_detail", foreign.digits)).status_code == 404
    assert client.get(url(manager, "number_detail", "999")).status_code == 404
    assert client.get(url(manager, "numbers_release"), {"number": foreign.pk}).status_code == 302
