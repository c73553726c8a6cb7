"""Emergency addresses: saved as validated, changed in versions, retired when nobody needs them."""

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor
from members.models import AuditEntry, Member
from members.names import NameProblem
from telephony.address_errors import (
    AddressChangedMeanwhile,
    AddressInUse,
    AddressNameTaken,
    CountryStays,
    DisclaimerMissing,
    DisclaimerReplaced,
    NoDisclaimer,
    NoSuchAddress,
    NoSuchPlace,
    NotOverruled,
    NotValidated,
    PlaceInUse,
    PlaceNameTaken,
)
from telephony.address_uses import _FINDERS, Use, UseFinder, add_finder
from telephony.countries import current_disclaimer, rule_of
from telephony.emergency import require_disclaimer, use_address
from telephony.gateways.address_validators import address_validator
from telephony.models import DisclaimerAcceptance, EmergencyAddress, Place, Postcode
from telephony.postcodes import NoSource
from telephony.services.disclaimers import accept_disclaimer, change_country_rule, publish_disclaimer
from telephony.services.emergency_addresses import (
    add_emergency_address,
    change_emergency_address,
    retire_emergency_address,
)
from telephony.services.places import add_place, change_place, remove_place
from telephony.services.postcodes import load_postcodes
from telephony.validation import Civic
from tests.factories import EmergencyAddressFactory, MemberFactory, OrganizationFactory, PlaceFactory, UserFactory

pytestmark = pytest.mark.django_db

HERE = {"country": "FR", "house_number": "1", "street": "rue de Rivoli", "city": "Paris", "postal_code": "75001"}


@pytest.fixture
def admin():
    return MemberFactory(admin=True)


@pytest.fixture
def manager(admin):
    return MemberFactory(organization=admin.organization, role=Member.Role.VOICE_MANAGER)


@pytest.fixture
def used():
    """Says that an address, or a place, is used by so many."""
    numbers = {}

    def count(keys):
        return {key: numbers[key] for key in keys if key in numbers}

    def told(address, most):
        return [Use("number", f"+3310000000{at}") for at in range(numbers.get(address.pk, 0))][:most]

    add_finder(UseFinder(key="test", list=told, count=count, count_at=count))
    yield numbers
    _FINDERS.pop("test")


def validated(keep=(), **fields):
    return address_validator().validate(Civic.of({**HERE, **fields}), keep=keep)


def add(member, name="Siège", reason="", **fields):
    return add_emergency_address(
        actor=Actor.of_member(member),
        organization=member.organization,
        name=name,
        result=validated(**fields),
        reason=reason,
    )


def change(member, address, version=1, name=None, reason="", **fields):
    return change_emergency_address(
        actor=Actor.of_member(member),
        organization=member.organization,
        address=address,
        name=name or address.name,
        result=validated(**fields),
        version=version,
        reason=reason,
    )


def use(organization, address):
    with transaction.atomic():
        return use_address(organization, address)


def actions(organization):
    return list(AuditEntry.objects.filter(organization=organization).order_by("pk").values_list("action", flat=True))


def test_an_address_is_saved_as_it_was_validated_with_what_was_typed(manager):
    address = add(manager, city="Pariss", house_number="12bis")

    version = address.current
    assert (version.number, version.status, version.city, version.typed["city"]) == (1, "corrected", "Paris", "Pariss")
    assert version.changes == [{"field": "city", "old": "Pariss", "new": "Paris"}]
    assert (version.house_number, version.house_number_suffix) == ("12bis", "bis")
    assert (version.street_prefix, version.street_name) == ("rue", "de Rivoli")
    assert version.made_by == manager
    entry = AuditEntry.objects.get(action="emergency_address.added")
    assert entry.after == {"name": "Siège", "address": "12bis rue de Rivoli, 75001 Paris"}


def test_saved_twice_it_is_one_address_with_one_line_in_the_log(manager):
    assert add(manager) == add(manager)

    assert EmergencyAddress.objects.count() == 1
    assert actions(manager.organization) == ["emergency_address.added"]


def test_anything_but_what_was_validated_is_refused(manager):
    result = validated()
    forged = replace(result, normalized=replace(result.normalized, city="Lyon"))

    with pytest.raises(NotValidated):
        add_emergency_address(
            actor=Actor.of_member(manager), organization=manager.organization, name="Siège", result=forged
        )

    assert not EmergencyAddress.objects.exists()


def test_a_rejected_address_is_not_saved(admin):
    with pytest.raises(NotValidated):
        add(admin, postal_code="7500")

    assert not EmergencyAddress.objects.exists()


def test_an_administrator_overrules_the_validator_and_says_why(admin):
    address = add(admin, postal_code="99000", reason="A new code, seen on site.")

    assert (address.current.status, address.current.reason) == ("validated_manually", "A new code, seen on site.")
    assert AuditEntry.objects.get().reason == "A new code, seen on site."


def test_a_voice_manager_does_not_overrule_the_validator(manager):
    with pytest.raises(PermissionDenied):
        add(manager, postal_code="99000", reason="I say so.")


def test_nobody_overrules_that_a_po_box_holds_nobody(admin):
    with pytest.raises(NotOverruled):
        add(admin, street="BP 12", reason="I say so.")


def test_a_reason_says_nothing_of_an_address_that_is_right(admin):
    assert add(admin, reason="Because.").current.status == "validated"


def test_a_name_is_taken_whatever_its_case_until_its_address_is_retired(manager):
    first = add(manager, name="Siège Élysée")

    with pytest.raises(AddressNameTaken):
        add(manager, name="SIÈGE  ÉLYSÉE", house_number="2")
    retire_emergency_address(actor=Actor.of_member(manager), organization=manager.organization, address=first)
    assert add(manager, name="SIÈGE  ÉLYSÉE", house_number="2") != first


@pytest.mark.parametrize("name", ["", "\u200b", "a\x00b", "x" * 101])
def test_a_name_that_can_not_be_kept_is_refused(manager, name):
    with pytest.raises(NameProblem):
        add(manager, name=name)


def test_whoever_may_not_manage_voice_adds_nothing(admin):
    member = MemberFactory(organization=admin.organization, role=Member.Role.CREDIT_MANAGER)

    with pytest.raises(PermissionDenied):
        add(member)


def test_a_change_is_a_new_version_of_the_same_address_and_the_old_one_stays(manager):
    address = add(manager)

    changed = change(manager, address, house_number="2")

    assert changed == address
    assert [version.house_number for version in address.versions.order_by("number")] == ["1", "2"]
    address.refresh_from_db()
    assert (address.current.number, address.current.house_number) == (2, "2")
    assert actions(manager.organization) == ["emergency_address.added", "emergency_address.changed"]


def test_the_same_change_again_makes_no_version(manager):
    address = add(manager)
    change(manager, address, house_number="2")

    change(manager, address, house_number="2")

    assert address.versions.count() == 2


def test_whoever_saw_an_older_version_changes_nothing(manager):
    address = add(manager)
    change(manager, address, house_number="2")

    with pytest.raises(AddressChangedMeanwhile):
        change(manager, address, version=1, house_number="3")

    assert address.versions.count() == 2


def test_another_name_is_no_other_version(manager):
    address = add(manager)

    change(manager, address, name="Paris")

    address.refresh_from_db()
    assert (address.name, address.current.number, address.search_text.split()[0]) == ("Paris", 1, "paris")


def test_an_address_stays_in_its_country(manager):
    address = add(manager)

    with pytest.raises(CountryStays):
        change(manager, address, country="SE", city="Stockholm", postal_code="111 51")


def test_a_change_to_the_name_of_another_is_refused(manager):
    add(manager, name="One")
    other = add(manager, name="Two", house_number="2")

    with pytest.raises(AddressNameTaken):
        change(manager, other, name="ONE", house_number="2")


def test_a_change_that_was_not_validated_is_refused(manager):
    address = add(manager)

    with pytest.raises(NotValidated):
        change(manager, address, postal_code="7500")


def test_an_address_in_use_is_not_retired(manager, used):
    address = add(manager)
    used[address.pk] = 2

    with pytest.raises(AddressInUse) as refusal:
        retire_emergency_address(actor=Actor.of_member(manager), organization=manager.organization, address=address)

    assert refusal.value.number == 2
    assert EmergencyAddress.objects.live().count() == 1


def test_a_retired_address_is_neither_used_nor_changed_nor_retired_again(manager):
    address = add(manager)
    actor, organization = Actor.of_member(manager), manager.organization
    retire_emergency_address(actor=actor, organization=organization, address=address)

    for act in (
        lambda: use(organization, address),
        lambda: change(manager, address, house_number="2"),
        lambda: retire_emergency_address(actor=actor, organization=organization, address=address),
        lambda: add_place(actor=actor, organization=organization, address=address, name="Floor"),
    ):
        with pytest.raises(NoSuchAddress):
            act()


def test_the_address_of_another_organization_is_none(manager):
    other = EmergencyAddressFactory()
    actor, organization = Actor.of_member(manager), manager.organization

    for act in (
        lambda: use(organization, other),
        lambda: change(manager, other, house_number="2"),
        lambda: retire_emergency_address(actor=actor, organization=organization, address=other),
        lambda: add_place(actor=actor, organization=organization, address=other, name="Floor"),
        lambda: remove_place(actor=actor, organization=organization, place=PlaceFactory(address=other)),
    ):
        with pytest.raises(NoSuchAddress):
            act()


@pytest.mark.parametrize("floor", ["B2", "-1", "M", "13A"])
def test_any_floor_is_a_floor(manager, floor):
    address = add(manager)

    place = add_place(
        actor=Actor.of_member(manager), organization=manager.organization, address=address, name="3e étage", floor=floor
    )

    assert place.floor == floor


def test_a_place_is_added_once_renamed_and_removed(manager):
    address, actor, organization = add(manager), Actor.of_member(manager), manager.organization

    place = add_place(actor=actor, organization=organization, address=address, name="Étage 3")
    assert add_place(actor=actor, organization=organization, address=address, name="Étage 3") == place
    with pytest.raises(PlaceNameTaken):
        add_place(actor=actor, organization=organization, address=address, name="étage 3", room="12")
    other = add_place(actor=actor, organization=organization, address=address, name="Étage 4")
    with pytest.raises(PlaceNameTaken):
        change_place(actor=actor, organization=organization, place=other, name="ÉTAGE 3")
    change_place(actor=actor, organization=organization, place=other, name="Étage 5", room="12")
    change_place(actor=actor, organization=organization, place=other, name="Étage 5", room="12")
    remove_place(actor=actor, organization=organization, place=other)
    with pytest.raises(NoSuchPlace):
        change_place(actor=actor, organization=organization, place=other, name="Étage 6")

    assert actions(organization)[1:] == ["place.added", "place.added", "place.changed", "place.removed"]
    assert list(Place.objects.filter(removed_at=None)) == [place]


def test_a_place_where_somebody_is_stays(manager, used):
    place = PlaceFactory(address=add(manager))
    used[place.pk] = 1

    with pytest.raises(PlaceInUse):
        remove_place(actor=Actor.of_member(manager), organization=manager.organization, place=place)


def test_a_disclaimer_is_accepted_once(manager):
    organization = manager.organization
    with pytest.raises(DisclaimerMissing):
        require_disclaimer(organization, "FR")

    first = accept_disclaimer(actor=Actor.of_member(manager), organization=organization, country="FR")
    again = accept_disclaimer(actor=Actor.of_member(manager), organization=organization, country="FR", version=1)

    assert first == again
    assert (first.accepted_by, actions(organization)) == (manager, ["disclaimer.accepted"])
    require_disclaimer(organization, "FR")
    with pytest.raises(NoDisclaimer):
        accept_disclaimer(actor=Actor.of_member(manager), organization=organization, country="XX")


def test_a_new_version_has_to_be_accepted_anew(manager):
    operator, organization = Actor.operator(UserFactory(is_operator=True)), manager.organization
    accept_disclaimer(actor=Actor.of_member(manager), organization=organization, country="FR")

    second = publish_disclaimer(actor=operator, country="FR", text_en="New", text_fr="Neuf", text_sv="Ny")

    assert (second.version, current_disclaimer("FR")) == (2, second)
    with pytest.raises(DisclaimerMissing):
        require_disclaimer(organization, "FR")
    with pytest.raises(DisclaimerReplaced):
        accept_disclaimer(actor=Actor.of_member(manager), organization=organization, country="FR", version=1)
    accept_disclaimer(actor=Actor.of_member(manager), organization=organization, country="FR", version=2)
    assert DisclaimerAcceptance.objects.count() == 2


def test_only_operators_publish_and_change_rules(admin):
    actor = Actor.of_member(admin)

    with pytest.raises(PermissionDenied):
        publish_disclaimer(actor=actor, country="FR", text_en="New", text_fr="Neuf", text_sv="Ny")
    with pytest.raises(PermissionDenied):
        change_country_rule(
            actor=actor,
            country="FR",
            address_first=False,
            area_match="none",
            place_needed=False,
            emergency_numbers="112",
        )


def test_a_country_rule_is_changed_by_an_operator():
    operator = UserFactory(is_operator=True)

    change_country_rule(
        actor=Actor.operator(operator),
        country="FR",
        address_first=True,
        area_match="refuse",
        place_needed=True,
        emergency_numbers="112",
    )

    rule = rule_of("FR")
    assert (rule.area_match, rule.place_needed, rule.changed_by) == ("refuse", True, operator)


def test_postal_codes_are_loaded_once_however_often():
    Postcode.objects.filter(country="SE", code="11151").update(city="NOWHERE")
    Postcode.objects.create(country="SE", code="00000", city="GONE")

    assert load_postcodes(actor=Actor.system(), country="SE") == (1, 2)
    assert load_postcodes(actor=Actor.system(), country="SE") == (0, 0)
    with pytest.raises(PermissionDenied):
        load_postcodes(actor=Actor.visitor(), country="SE")
    with pytest.raises(NoSource):
        load_postcodes(actor=Actor.system(), country="XX")


def test_an_organization_sees_an_address_by_the_sort_key_of_its_language():
    swedish = MemberFactory(admin=True, organization=OrganizationFactory(language="sv"))
    names = ["Örebro", "Zinken", "Åre"]
    for at, name in enumerate(names, 1):
        add(swedish, name=name, house_number=str(at))

    assert list(EmergencyAddress.objects.order_by("sort_key").values_list("name", flat=True)) == [
        "Zinken",
        "Åre",
        "Örebro",
    ]
