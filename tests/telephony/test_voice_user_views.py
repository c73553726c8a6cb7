"""Voice users in the browser: who has a number, giving them, changing them and taking them back."""

import re
from itertools import count
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.access import Actor
from members.models import AuditEntry, Letter, Member
from skypemgr.clock import database_now
from telephony.license_errors import NumberNeedsIt
from telephony.models import NumberAssignment, PhoneNumber
from telephony.services.disclaimers import accept_disclaimer
from tests.factories import (
    DepartmentFactory,
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    PhoneNumberFactory,
    PlaceFactory,
    SeatFactory,
)
from tests.telephony.licensed import unassigning
from tests.telephony.test_assignments import has

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client):
    member = MemberFactory(role=Member.Role.VOICE_MANAGER, organization__country="FR")
    client.force_login(member.user)
    return member


@pytest.fixture
def organization(manager):
    return manager.organization


@pytest.fixture
def seats(organization):
    return LicenseFactory(organization=organization, quantity=80)


@pytest.fixture
def paris():
    return NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")


@pytest.fixture
def site(organization, seats):
    accept_disclaimer(actor=Actor.system(), organization=organization, country="FR")
    return EmergencyAddressFactory(organization=organization, name="Siège")


def url(member, name, *args):
    return reverse(f"telephony:{name}", args=[member.organization.slug, *args])


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def somebody(seats, **facts):
    return SeatFactory(license=seats, member=MemberFactory(organization=seats.organization, **facts)).member


def holder(seats, number, address, **facts):
    """Somebody who has a number already."""
    member = somebody(seats, **facts)
    NumberAssignment.objects.create(
        organization=seats.organization,
        number=number,
        member=member,
        emergency_address=address,
        since=database_now(),
    )
    return member


_NUMBERS = count(331_400_100_00)


def free(organization, area, site=None, number=""):
    """A French number that nobody has."""
    return PhoneNumberFactory(
        organization=organization, area=area, emergency_address=site, number=number or f"+{next(_NUMBERS)}"
    )


def shown(client, manager, people, **query):
    page = client.get(url(manager, "voice_user_list"), query).content.decode()
    return [one for one in people if f'name="member" value="{one.pk}"' in page]


def test_the_list_says_who_has_which_number_and_what_is_missing(client, manager, seats, paris, site):
    organization = manager.organization
    number = free(organization, paris, number="+33140000001")
    anna = holder(seats, number, site, user__first_name="Anna", user__last_name="Berg")
    waiting = somebody(seats, user__first_name="Bo", user__last_name="Ek")
    plain = MemberFactory(organization=organization)
    personal = MemberFactory(organization=organization, user__kind="personal", user__owner=None)
    everybody = [anna, waiting, plain, personal]

    assert shown(client, manager, everybody) == [anna, waiting, plain]
    assert shown(client, manager, everybody, state="assigned") == [anna]
    assert shown(client, manager, everybody, state="without") == [waiting, plain]
    assert shown(client, manager, everybody, state="waiting") == [waiting]
    assert shown(client, manager, everybody, state="missing") == [waiting]
    assert shown(client, manager, everybody, q="40 00 00 01") == [anna]
    assert shown(client, manager, everybody, q="berg") == [anna]
    assert shown(client, manager, everybody, q=waiting.user.skype_name) == [waiting]
    export = client.get(url(manager, "voice_user_export"), {"state": "assigned"}).getvalue().decode()
    assert "33140000001" in export
    assert waiting.user.skype_name not in export


def test_a_number_without_a_license_or_a_disclaimer_is_something_missing(client, manager, seats, paris, site):
    anna = holder(seats, free(manager.organization, paris), site)
    berlin = NumberAreaFactory(country="US", region="WA", city="Redmond")
    redmond = EmergencyAddressFactory(organization=manager.organization, country="US", name="Redmond")
    bo = holder(seats, free(manager.organization, berlin), redmond)
    assert shown(client, manager, [anna, bo], state="missing") == [bo]
    assert "Disclaimer not accepted" in text_of(client.get(url(manager, "voice_user_list")))

    anna.seats.update(ended_at=database_now(), ending="unassigned")

    assert shown(client, manager, [anna, bo], state="missing") == [anna, bo]
    assert "No license" in text_of(client.get(url(manager, "voice_user_list")))


def test_the_list_is_narrowed_to_a_department_and_those_under_it(client, manager, seats):
    sales = DepartmentFactory(organization=manager.organization, name="Sales")
    anna, bo = somebody(seats, department=sales), somebody(seats)

    assert shown(client, manager, [anna, bo], department=str(sales.pk)) == [anna]


def test_pages_follow_each_other_and_cost_the_same_for_one_person_and_for_fifty(client, manager, seats, paris, site):
    def look(**query):
        client.get(url(manager, "voice_user_list"), query)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(url(manager, "voice_user_list"), query).content.decode()
        return page, len(queries)

    people = [holder(seats, free(manager.organization, paris), site)]
    few = look(state="assigned")[1]
    people += [holder(seats, free(manager.organization, paris), site) for _ in range(52)]

    page, many = look(state="assigned")
    assert many <= few
    [following] = re.findall(r'href="(\?[^"]*cursor=[^"]+)" rel="next"', page)
    second = client.get(url(manager, "voice_user_list") + following.replace("&amp;", "&")).content.decode()
    found = [re.findall(r'name="member" value="(\d+)"', one) for one in (page, second)]
    assert [len(one) for one in found] == [50, 3]
    assert {int(key) for one in found for key in one} == {member.pk for member in people}


def test_somebody_is_given_a_number_with_its_own_address_and_told_by_letter(client, manager, seats, paris, site):
    member = somebody(seats)
    number = free(manager.organization, paris, site, number="+33140000001")
    page = client.get(url(manager, "assign"), {"member": member.pk})
    assert "Select the number to assign" in text_of(page)
    assert "Search for a city" in text_of(page)
    sent = {"member": member.pk, "number": number.number, "notify": "on", "key": uuid4()}

    response = client.post(url(manager, "assign"), sent, follow=True)

    assert has(member) == ("+33140000001", "Siège", None)
    assert Letter.objects.filter(kind=Letter.Kind.NUMBER_ASSIGNED, member=member).count() == 1
    assert "has the number +33 1 40 00 00 01 now" in text_of(response)
    # The same form once more.
    client.post(url(manager, "assign"), sent)
    assert NumberAssignment.objects.count() == 1


def test_an_address_is_found_by_its_city_with_a_place_under_it(client, manager, seats, paris, site):
    member, number = somebody(seats), free(manager.organization, paris, site)
    lyon = EmergencyAddressFactory(organization=manager.organization, name="Atelier", civic={"city": "Lyon"})
    place = PlaceFactory(address=lyon, name="2nd floor")
    sent = {"member": member.pk, "number": number.number, "key": uuid4()}
    found = client.post(url(manager, "assign"), {**sent, "city": "lyon", "search": "city"})
    assert found.status_code == 200
    assert "Atelier" in text_of(found)
    assert "2nd floor" in text_of(found)
    assert not NumberAssignment.objects.exists()

    wrong = client.post(url(manager, "assign"), {**sent, "city": "lyon", "place": place.pk})
    assert wrong.status_code == 422
    assert "This place is at another address" in text_of(wrong)
    client.post(url(manager, "assign"), {**sent, "emergency_address": lyon.pk, "place": place.pk})

    assert has(member) == (number.number, "Atelier", "2nd floor")
    assert not Letter.objects.filter(kind=Letter.Kind.NUMBER_ASSIGNED).exists()


def test_what_stands_in_the_way_is_told_next_to_the_field(client, manager, seats, paris, site):
    member = somebody(seats)
    bare = free(manager.organization, paris)
    sent = {"member": member.pk, "number": bare.number, "key": uuid4()}
    response = client.post(url(manager, "assign"), sent)
    assert response.status_code == 422
    assert "has no emergency address" in text_of(response)
    taken = free(manager.organization, paris, site)
    holder(seats, taken, site)

    response = client.post(url(manager, "assign"), {**sent, "number": taken.number})

    assert response.status_code == 422
    assert "is already assigned to" in text_of(response)
    assert has(member) is None


def test_a_disclaimer_that_was_not_accepted_is_linked(client, manager, seats, paris):
    address = EmergencyAddressFactory(organization=manager.organization)
    member, number = somebody(seats), free(manager.organization, paris, address)

    page = client.get(url(manager, "assign"), {"member": member.pk}).content.decode()
    response = client.post(url(manager, "assign"), {"member": member.pk, "number": number.number, "key": uuid4()})

    assert reverse("emergency:disclaimer_detail", args=[manager.organization.slug, "FR"]) in page
    assert response.status_code == 422
    assert has(member) is None


def test_several_are_given_different_numbers_all_or_nobody(client, manager, seats, paris, site):
    people = [somebody(seats) for _ in range(3)]
    numbers = [free(manager.organization, paris, site) for _ in range(3)]
    page = client.get(url(manager, "assign"), {"member": [one.pk for one in people]}).content.decode()
    assert len(set(re.findall(r'value="(\+33\d+)" selected', page))) == 3
    lyon = EmergencyAddressFactory(organization=manager.organization, name="Atelier")
    fields = {f"number_{one.pk}": number.number for one, number in zip(people, numbers, strict=True)}
    sent = {"member": [one.pk for one in people], **fields, f"address_{people[1].pk}": lyon.pk, "key": uuid4()}

    twice = client.post(url(manager, "assign"), {**sent, f"number_{people[2].pk}": numbers[0].number})
    assert twice.status_code == 422
    assert "is chosen twice" in text_of(twice)
    assert not NumberAssignment.objects.exists()
    assert client.post(url(manager, "assign"), sent).status_code == 302

    assert [has(one)[1] for one in people] == ["Siège", "Atelier", "Siège"]


def test_nobody_is_given_a_number_when_one_of_them_got_one_meanwhile(client, manager, seats, paris, site):
    people = [somebody(seats) for _ in range(3)]
    numbers = [free(manager.organization, paris, site) for _ in range(3)]
    fields = {f"number_{one.pk}": number.number for one, number in zip(people, numbers, strict=True)}
    late = holder(seats, free(manager.organization, paris), site)

    response = client.post(
        url(manager, "assign"), {"member": [one.pk for one in [*people, late]], **fields, "key": uuid4()}
    )

    assert "already has" in text_of(response)
    assert [has(one) for one in people] == [None, None, None]


def test_assigning_to_fifty_costs_as_many_queries_as_to_two(client, manager, seats, paris, site):
    def cost(number):
        people = [somebody(seats) for _ in range(number)]
        for _ in people:
            free(manager.organization, paris, site)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(manager, "assign"), {"member": [one.pk for one in people]}).status_code == 200
        return len(queries)

    cost(1)
    assert cost(2) == cost(50)


def test_whoever_can_t_be_given_one_is_named_with_the_reason(client, manager, seats, paris, site):
    free(manager.organization, paris, site)
    plain, anna = (
        MemberFactory(organization=manager.organization),
        holder(seats, free(manager.organization, paris), site),
    )
    ready = somebody(seats)

    page = client.get(url(manager, "assign"), {"member": [plain.pk, anna.pk, ready.pk]})

    assert "has no Phone System" in text_of(page)
    assert "already has" in text_of(page)
    assert 'name="number"' in page.content.decode()
    assert f'value="{plain.pk}"' not in page.content.decode()


def test_nobody_of_another_organization_is_given_a_number_or_loses_one(client, manager, seats, paris, site):
    foreign_seats = LicenseFactory(quantity=5)
    stranger = somebody(foreign_seats)
    number = free(manager.organization, paris, site)
    sent = {"member": stranger.pk, "number": number.number, "key": uuid4()}

    assert client.post(url(manager, "assign"), sent).url == url(manager, "voice_user_list")
    assert client.post(url(manager, "take_back"), {"member": stranger.pk, "cooling_days": 0}).status_code == 302
    assert client.get(url(manager, "member_phone", stranger.user.skype_name)).status_code == 404
    assert not NumberAssignment.objects.exists()


def test_a_number_of_another_organization_is_no_choice(client, manager, seats, paris, site):
    member = somebody(seats)
    foreign = PhoneNumberFactory(organization=MemberFactory().organization, area=paris)
    away = EmergencyAddressFactory(organization=foreign.organization)
    number = free(manager.organization, paris, site)
    sent = {"member": member.pk, "number": foreign.number, "key": uuid4()}

    assert client.post(url(manager, "assign"), sent).status_code == 422
    sent |= {"number": number.number, "emergency_address": away.pk}
    assert client.post(url(manager, "assign"), sent).status_code == 422
    assert has(member) is None


def test_numbers_are_taken_back_from_many_and_cool_off(client, manager, seats, paris, site):
    people = [holder(seats, free(manager.organization, paris), site) for _ in range(2)]
    ticked = {"member": [one.pk for one in people]}
    assert "Nobody reaches them by these numbers any more" in text_of(client.get(url(manager, "take_back"), ticked))
    assert client.post(url(manager, "take_back"), {**ticked, "cooling_days": 366}).status_code == 422
    assert has(people[0])

    assert client.post(url(manager, "take_back"), {**ticked, "cooling_days": 30}).status_code == 302

    assert [has(one) for one in people] == [None, None]
    assert PhoneNumber.objects.cooling_off().count() == 2


def test_the_phone_tab_shows_number_letter_and_history(client, manager, seats, paris, site):
    member, number = somebody(seats), free(manager.organization, paris, site, number="+33140000001")
    sent = {"member": member.pk, "number": number.number, "notify": "on", "key": uuid4()}
    client.post(url(manager, "assign"), sent)
    Letter.objects.filter(kind=Letter.Kind.NUMBER_ASSIGNED).update(
        state=Letter.State.FAILED, last_error="550, no such mailbox", closed_at=database_now()
    )

    text = text_of(client.get(url(manager, "member_phone", member.user.skype_name)))

    assert "+33 1 40 00 00 01" in text
    assert "Siège" in text
    assert "Not delivered" in text
    assert "Numbers they have had" in text


def test_a_number_is_changed_in_one_step_and_the_old_one_cools_off(client, manager, seats, paris, site):
    lyon = EmergencyAddressFactory(organization=manager.organization, name="Atelier")
    old, new = free(manager.organization, paris, site), free(manager.organization, paris, lyon)
    member = holder(seats, old, site)
    page = url(manager, "member_number", member.user.skype_name)
    assert re.search(rf'value="{site.pk}"[^>]*checked', client.get(page).content.decode())

    sent = {"number": new.number, "cooling_days": 7, "key": uuid4(), "emergency_address": site.pk}
    assert client.post(page, sent).status_code == 302

    assert has(member) == (new.number, "Siège", None)
    assert list(PhoneNumber.objects.cooling_off()) == [old]


def test_somebody_is_moved_to_another_address_and_place(client, manager, seats, paris, site):
    member = holder(seats, free(manager.organization, paris), site)
    lyon = EmergencyAddressFactory(organization=manager.organization, name="Atelier", civic={"city": "Lyon"})
    place = PlaceFactory(address=lyon, name="2nd floor")
    page = url(manager, "member_where", member.user.skype_name)
    assert "Atelier" in text_of(client.post(page, {"city": "lyon", "search": "city"}))

    assert client.post(page, {"emergency_address": site.pk, "place": place.pk}).status_code == 422
    assert client.post(page, {"emergency_address": lyon.pk, "place": place.pk}).status_code == 302

    assert has(member)[1:] == ("Atelier", "2nd floor")


def test_the_list_to_print_has_whoever_has_a_number(client, manager, seats, paris, site):
    holder(seats, free(manager.organization, paris, number="+33140000001"), site)
    other = somebody(seats)

    page = client.get(url(manager, "voice_user_print"))

    assert "+33 1 40 00 00 01" in text_of(page)
    assert other.user.display_name not in text_of(page)


def test_without_a_license_there_are_no_voice_users_and_no_phone_tab(client):
    member = MemberFactory(admin=True)
    client.force_login(member.user)

    for name, args in [("voice_user_list", []), ("assign", []), ("member_phone", [member.user.skype_name])]:
        assert client.get(url(member, name, *args)).status_code == 403
    profile = client.get(reverse("members:member_profile", args=[member.organization.slug, member.user.skype_name]))
    assert url(member, "member_phone", member.user.skype_name) not in profile.content.decode()


def test_the_last_steps_lead_to_the_people_and_are_done_when_everybody_was_sent_a_letter(
    client, manager, seats, paris, site
):
    member, number = somebody(seats), free(manager.organization, paris, site)
    before = client.get(url(manager, "voice"))
    assert url(manager, "voice_user_list") + "?state=waiting" in before.content.decode()
    sent = {"member": member.pk, "number": number.number, "notify": "on", "key": uuid4()}
    client.post(url(manager, "assign"), sent)
    assert "1 person was sent no letter" in text_of(client.get(url(manager, "voice")))

    letters = Letter.objects.filter(kind=Letter.Kind.NUMBER_ASSIGNED)
    letters.update(state=Letter.State.SENT, closed_at=database_now())

    assert "was sent no letter" not in text_of(client.get(url(manager, "voice")))


def test_phone_system_is_not_taken_from_whoever_has_a_number_unless_both_go(client, manager, seats, paris, site):
    member = holder(seats, free(manager.organization, paris, number="+33140000001"), site)

    with pytest.raises(NumberNeedsIt, match=r"\+33 1 40 00 00 01"):
        unassigning("phone-system", member)
    assert has(member)
    page = text_of(client.get(url(manager, "member_features", member.user.skype_name)))
    assert "+33 1 40 00 00 01 requires this, and is taken back along with it." in page
    unassigning("phone-system", member, with_dependents=True)

    assert has(member) is None
    assert not member.seats.filter(ended_at=None).exists()
    assert AuditEntry.objects.filter(action="number.unassigned").count() == 1


def test_a_seat_of_another_product_that_carries_the_number_is_enough(manager, seats, paris, site):
    member = holder(seats, free(manager.organization, paris), site)
    SeatFactory(license=LicenseFactory(organization=manager.organization, code="e5"), member=member)

    unassigning("phone-system", member)

    assert has(member)


def test_the_address_of_each_number_stands_beside_it_whichever_is_chosen(client, manager, seats, paris, site):
    atelier = EmergencyAddressFactory(organization=manager.organization, name="Atelier")
    free(manager.organization, paris, site, number="+33140000001")
    second = free(manager.organization, paris, atelier, number="+33140000002")
    member = somebody(seats)

    page = text_of(client.get(url(manager, "assign"), {"member": member.pk}))
    sent = {"member": member.pk, "number": second.number, "emergency_address": "", "key": uuid4()}
    client.post(url(manager, "assign"), sent)

    assert "+33 1 40 00 00 02, Paris · Atelier" in page
    assert "It stands beside the number." in page
    assert NumberAssignment.objects.get(member=member, until=None).emergency_address == atelier


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("0140000001", True),
        ("01 40 00 00 01", True),
        ("+33 1 40 00 00 01", True),
        ("0033 1 40 00 00 01", True),
        ("40000001", True),
        ("0002", False),
        ("anna 1", False),
    ],
)
def test_somebody_is_found_by_the_number_as_it_is_dialed_and_not_by_a_digit_beside_a_name(
    client, manager, seats, paris, site, search, found
):
    holder(seats, free(manager.organization, paris, site, number="+33140000001"), site)

    page = text_of(client.get(url(manager, "voice_user_list"), {"q": search}))

    assert ("+33 1 40 00 00 01" in page) is found
