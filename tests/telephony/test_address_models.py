"""What the database refuses of emergency addresses, places and disclaimers, whoever asks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from telephony.countries import current_disclaimer, missing_disclaimer, rule_of
from telephony.models import CountryRule, Disclaimer, DisclaimerAcceptance, EmergencyAddress, EmergencyAddressVersion
from tests.factories import EmergencyAddressFactory, MemberFactory, OrganizationFactory, PlaceFactory
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_a_version_is_never_changed_and_never_deleted():
    version = EmergencyAddressFactory().current

    refused(lambda: EmergencyAddressVersion.objects.filter(pk=version.pk).update(city="Lyon"))
    refused(version.delete)


def test_an_address_stays_in_its_country_and_is_never_deleted():
    address = EmergencyAddressFactory()

    refused(lambda: EmergencyAddress.objects.filter(pk=address.pk).update(country="SE"))
    refused(address.delete)


def test_two_addresses_of_an_organization_differ_by_more_than_case():
    first = EmergencyAddressFactory(name="Siège ÉLYSÉE")

    refused(lambda: EmergencyAddressFactory(organization=first.organization, name="siège élysée"))

    EmergencyAddressFactory(name="siège élysée")
    EmergencyAddress.objects.filter(pk=first.pk).update(retired_at=timezone.now())
    EmergencyAddressFactory(organization=first.organization, name="siège élysée")


def test_the_current_version_of_an_address_is_its_own():
    mine, other = EmergencyAddressFactory(), EmergencyAddressFactory()
    beside = EmergencyAddressFactory(organization=mine.organization)

    for foreign in (other, beside):
        refused(lambda: EmergencyAddress.objects.filter(pk=mine.pk).update(current=foreign.current))  # noqa: B023


@pytest.mark.parametrize(
    "wrong",
    [
        {"street": ""},
        {"latitude": 91, "longitude": 0},
        {"latitude": 48},
        {"status": "rejected"},
        {"status": "validated_manually"},
        {"reason": "Because."},
        {"number": 0},
        {"content_hash": "none"},
    ],
)
def test_a_version_that_contradicts_itself_is_refused(wrong):
    version = EmergencyAddressFactory().current
    version.pk, version.number, version._state.adding = None, 2, True
    for name, value in wrong.items():
        setattr(version, name, value)

    refused(version.save)


def test_a_version_and_a_place_belong_to_the_organization_of_their_address():
    mine, other = EmergencyAddressFactory(), OrganizationFactory()
    version = mine.current
    version.pk, version.number, version._state.adding, version.organization = None, 2, True, other

    refused(version.save)
    refused(lambda: PlaceFactory(address=mine, organization=other))


def test_two_places_of_an_address_have_two_names():
    place = PlaceFactory(name="Étage 3")

    refused(lambda: PlaceFactory(address=place.address, name="étage 3"))
    refused(lambda: PlaceFactory(address=place.address, name=""))

    PlaceFactory(name="Étage 3")


def test_every_country_of_the_product_has_a_rule_and_a_disclaimer():
    assert {"US", "CA", "GB", "FR", "SE", "BE", "DE", "IE", "NL", "ES"} <= set(
        CountryRule.objects.values_list("country", flat=True)
    )
    for rule in CountryRule.objects.all():
        disclaimer = current_disclaimer(rule.country)
        assert disclaimer is not None
        for language in ("en", "fr", "sv"):
            assert rule.emergency_numbers in disclaimer.text_in(language)


def test_an_address_comes_first_everywhere_but_in_the_united_states_and_canada():
    assert [country for country in ("US", "CA", "FR", "GB", "BR") if not rule_of(country).address_first] == ["US", "CA"]


def test_a_disclaimer_is_never_changed_and_counts_from_its_day_on():
    disclaimer = current_disclaimer("FR")
    texts = {"text_en": "New", "text_fr": "Neuf", "text_sv": "Ny"}
    Disclaimer.objects.create(country="FR", version=2, begins_at=timezone.now() + timedelta(days=1), **texts)

    assert current_disclaimer("FR") == disclaimer
    refused(lambda: Disclaimer.objects.filter(pk=disclaimer.pk).update(text_en="Other"))


def test_an_acceptance_is_of_one_organization_and_stays():
    organization = OrganizationFactory()
    disclaimer = missing_disclaimer(organization, "FR")
    accepted = DisclaimerAcceptance.objects.create(organization=organization, disclaimer=disclaimer)

    assert missing_disclaimer(organization, "FR") is None
    assert missing_disclaimer(OrganizationFactory(), "FR") == disclaimer
    refused(accepted.delete)
    refused(lambda: DisclaimerAcceptance.objects.create(organization=organization, disclaimer=disclaimer))
    refused(
        lambda: DisclaimerAcceptance.objects.create(
            organization=OrganizationFactory(), disclaimer=disclaimer, accepted_by=MemberFactory()
        )
    )
