"""The pages of emergency addresses, as somebody without JavaScript uses them."""

import csv
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from members.models import Member
from telephony.address_uses import _FINDERS, Use, UseFinder, add_finder
from telephony.models import DisclaimerAcceptance, EmergencyAddress, EmergencyAddressVersion, Place
from tests.factories import EmergencyAddressFactory, MemberFactory, OrganizationFactory, PlaceFactory
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db

TYPED = {
    "name": "Head office",
    "country": "US",
    "house_number": "1",
    "street": "Microsoft Way",
    "city": "Redmond",
    "region": "WA",
    "postal_code": "98052",
}


@pytest.fixture
def organization():
    organization = OrganizationFactory(slug="acme")
    open_voice(organization)
    return organization


@pytest.fixture
def manager(organization, client):
    member = MemberFactory(organization=organization, role=Member.Role.VOICE_MANAGER)
    client.force_login(member.user)
    return member


def url(name, *args):
    return reverse(f"emergency:{name}", args=["acme", *args])


def fields_of(page):
    """What the form on a page would send."""
    form = page.context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def text_of(page):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


def validate(client, **typed):
    return client.post(url("address_add"), {**TYPED, **typed})


def test_an_address_that_is_right_is_validated_without_a_banner_and_then_saved(client, manager):
    assert client.get(url("address_add")).status_code == 200

    page = validate(client)

    assert page.status_code == 200
    assert "banner-success" not in page.content.decode()
    assert "Save address" in text_of(page)
    assert not EmergencyAddress.objects.exists()
    saved = client.post(url("address_save"), fields_of(page))
    address = EmergencyAddress.objects.get()
    assert saved.url == url("address_detail", address.pk)
    assert (address.name, address.current.status) == ("Head office", "validated")


def test_a_correction_stands_under_a_green_banner_old_and_new(client, manager):
    page = validate(client, city="Redmnd")

    content = page.content.decode()
    assert "banner-success" in content
    assert "<del>Redmnd</del>" in content
    assert "<ins>Redmond</ins>" in content
    client.post(url("address_save"), fields_of(page))
    version = EmergencyAddressVersion.objects.get()
    assert (version.status, version.city, version.typed["city"]) == ("corrected", "Redmond", "Redmnd")


def test_the_tip_about_endings_stands_at_the_street(client, manager):
    page = validate(client, house_number="123", street="5 Avenue", city="New York", region="NY", postal_code="10001")

    assert "Tip: a street named by a number takes its ending: 5th Avenue." in text_of(page)


def test_what_was_typed_can_be_kept(client, manager):
    page = validate(client, city="Redmnd")

    kept = client.post(url("address_add"), {**fields_of(page), "keep": "city"})

    assert kept.context["result"].status == "warning"
    client.post(url("address_save"), fields_of(kept))
    assert EmergencyAddressVersion.objects.get().city == "Redmnd"


def test_what_is_suggested_can_be_used(client, manager):
    page = validate(client, city="Seattle")
    assert "Use suggested: Redmond" in text_of(page)

    used = client.post(url("address_add"), {**fields_of(page), "use": "city:Redmond"})

    assert (used.context["result"].status, used.context["form"]["city"].value()) == ("validated", "Redmond")


def test_anything_else_than_what_was_validated_is_not_saved(client, manager):
    page = validate(client)

    for changed in ({"city": "Seattle"}, {"token": ""}, {"token": "forged"}):
        refused = client.post(url("address_save"), {**fields_of(page), **changed})

        assert refused.status_code == 422
        assert "This is not what was validated." in text_of(refused)
    assert not EmergencyAddress.objects.exists()


def test_what_was_validated_elsewhere_is_not_saved_here(client, manager):
    page = validate(client)
    other = MemberFactory(admin=True, organization=OrganizationFactory(slug="other"))
    open_voice(other.organization)
    client.force_login(other.user)

    refused = client.post(reverse("emergency:address_save", args=["other"]), fields_of(page))

    assert refused.status_code == 422


def test_a_rejected_address_says_where_and_why_and_can_not_be_saved(client, manager):
    page = validate(client, region="CA")

    assert page.status_code == 422
    assert page.context["form"].errors["postal_code"] == ["The postal code 98052 is not in CA."]
    assert "Save address" not in text_of(page)
    assert "Save without validation" not in text_of(page)


def test_an_administrator_saves_a_rejected_address_with_a_reason(client, organization):
    client.force_login(MemberFactory(admin=True, organization=organization).user)
    page = validate(client, region="CA")
    assert "Save without validation" in text_of(page)

    without = client.post(url("address_save"), fields_of(page))
    assert without.status_code == 422
    client.post(url("address_save"), {**fields_of(page), "reason": "Seen on site."})

    assert EmergencyAddressVersion.objects.get().status == "validated_manually"


def test_a_name_that_is_taken_is_said_at_the_name(client, manager, organization):
    EmergencyAddressFactory(organization=organization, name="HEAD OFFICE")

    page = client.post(url("address_save"), fields_of(validate(client)))

    assert page.context["form"].errors == {"name": ["“Head office” is already used."]}


def test_a_change_is_validated_and_saved_as_a_new_version(client, manager, organization):
    address = EmergencyAddressFactory(organization=organization)
    shown = client.get(url("address_change", address.pk))
    assert shown.context["form"]["street"].value() == "rue de Rivoli"

    page = client.post(url("address_change", address.pk), {**fields_of(shown), "house_number": "2"})
    client.post(url("address_change_save", address.pk), fields_of(page))

    address.refresh_from_db()
    assert (address.current.number, address.current.house_number) == (2, "2")
    late = client.post(url("address_change_save", address.pk), {**fields_of(page), "version": "1"})
    assert late.status_code == 302
    stale = client.post(url("address_change", address.pk), {**fields_of(shown), "house_number": "3"})
    assert client.post(url("address_change_save", address.pk), fields_of(stale)).status_code == 422


def test_the_list_is_searched_filtered_and_given_as_a_file(client, manager, organization):
    EmergencyAddressFactory(organization=organization, name="Siège")
    civic = {"house_number": "4", "street": "Götgatan", "city": "Malmö", "postal_code": "211 22"}
    EmergencyAddressFactory(organization=organization, name="Syd", country="SE", civic=civic)
    EmergencyAddressFactory(name="Of another company")

    def named(query):
        return [row.address.name for row in client.get(url("address_list") + query).context["rows"]]

    assert named("") == ["Siège", "Syd"]
    assert named("?q=malmo") == ["Syd"]
    assert named("?q=siege") == ["Siège"]
    assert named("?country=SE") == ["Syd"]
    assert named("?country=US&status=nonsense&show=all") == ["Siège", "Syd"]
    assert named("?q=nowhere") == []
    lines = b"".join(client.get(url("address_export") + "?country=SE").streaming_content).decode("utf-8-sig")
    [row] = csv.DictReader(lines.splitlines())
    assert (row["name"], row["city"], row["used_by"]) == ("Syd", "Malmö", "0")


def test_places_are_added_renamed_and_removed_on_the_page(client, manager, organization):
    address = EmergencyAddressFactory(organization=organization)

    client.post(url("place_add", address.pk), {"name": "3e étage", "floor": "-1"})
    place = Place.objects.get()
    assert "3e étage" in text_of(client.get(url("address_detail", address.pk)))
    assert client.post(url("place_add", address.pk), {"name": "3E ÉTAGE"}).status_code == 422
    assert client.get(url("place_change", address.pk, place.pk)).status_code == 200
    client.post(url("place_change", address.pk, place.pk), {"name": "4e étage", "floor": "B2"})
    client.post(url("place_remove", address.pk, place.pk))

    place.refresh_from_db()
    assert (place.name, place.floor, place.removed_at is None) == ("4e étage", "B2", False)


def test_an_address_in_use_shows_by_whom_and_is_not_retired(client, manager, organization):
    address = EmergencyAddressFactory(organization=organization)
    uses = {address.pk: 1}
    add_finder(
        UseFinder(
            key="test",
            list=lambda address, most: [Use("number", "+33123456789")],
            count=lambda keys: uses,
            count_at=lambda keys: {},
        )
    )
    try:
        assert "+33123456789" in text_of(client.get(url("address_detail", address.pk)))
        assert "+33123456789" in text_of(client.get(url("address_retire", address.pk)))
        client.post(url("address_retire", address.pk))
        assert EmergencyAddress.objects.live().exists()
        uses.clear()
        client.post(url("address_retire", address.pk))
    finally:
        _FINDERS.pop("test")

    assert not EmergencyAddress.objects.live().exists()
    assert "Retired on" in text_of(client.get(url("address_detail", address.pk)))
    assert client.get(url("address_change", address.pk)).status_code == 404


def test_what_belongs_to_another_organization_is_not_found(client, manager):
    place = PlaceFactory()

    for address in (
        url("address_detail", place.address.pk),
        url("address_change", place.address.pk),
        url("address_retire", place.address.pk),
        url("place_change", place.address.pk, place.pk),
    ):
        assert client.get(address).status_code == 404


def test_a_disclaimer_is_read_and_accepted(client, manager, organization):
    EmergencyAddressFactory(organization=organization)
    assert "Read and accept" in text_of(client.get(url("address_list")))
    assert "112, 15, 17, 18" in text_of(client.get(url("disclaimer_detail", "FR")))

    client.post(url("disclaimer_accept", "FR"), {"version": "7"})
    assert not DisclaimerAcceptance.objects.filter(disclaimer__country="FR").exists()
    client.post(url("disclaimer_accept", "FR"), {"version": "1"})

    assert DisclaimerAcceptance.objects.get(disclaimer__country="FR").accepted_by == manager
    assert "Read and accept" not in text_of(client.get(url("address_list")))
    assert client.get(url("disclaimer_list")).status_code == 200
    assert client.get(url("disclaimer_detail", "XX")).status_code == 404
    assert client.post(url("disclaimer_accept", "XX")).status_code == 404


FILE = """Name;Country;Number;Street;City;State;Postal code;Remark
HQ;US;1;Microsoft Way;Redmnd;WA;98052;x
Siège;FR;1;rue de Rivoli;Paris;;75001;
Siège;FR;2;rue de Rivoli;Paris;;75001;
Boîte;FR;;BP 12;Paris;;75001;
Site;FR;1;rue de Rivoli;Paris;;75001;
"""


def test_a_file_is_shown_row_by_row_and_what_is_right_is_saved(client, manager, organization):
    EmergencyAddressFactory(organization=organization, name="Site")
    assert client.get(url("file_review")).status_code == 200

    page = client.post(url("file_review"), {"file": SimpleUploadedFile("a.csv", FILE.encode())})

    read = page.context["read"]
    assert [row.outcome for row in read.rows] == ["new", "new", "wrong", "wrong", "same"]
    assert read.ignored == ["Remark"]
    assert "not dispatchable" in text_of(page)
    assert client.post(url("file_save"), {"token": "forged"}).url == url("file_review")
    client.post(url("file_save"), {"token": page.context["token"]})
    client.post(url("file_save"), {"token": page.context["token"]})
    assert sorted(EmergencyAddress.objects.values_list("name", "current__city")) == [
        ("HQ", "Redmond"),
        ("Site", "Paris"),
        ("Siège", "Paris"),
    ]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\x01\x02"])
def test_a_file_without_addresses_says_what_is_wrong(client, manager, content):
    page = client.post(url("file_review"), {"file": SimpleUploadedFile("a.csv", content)})

    assert page.status_code == 422
    assert page.context["form"].errors


def test_without_a_license_there_is_no_page_and_it_says_why(client):
    member = MemberFactory(admin=True, organization=OrganizationFactory(slug="acme"))
    client.force_login(member.user)

    assert client.get(url("address_list")).status_code == 403
    assert client.post(url("address_add"), TYPED).status_code == 403
