"""What strangers type, and the one sensible answer to each."""

import pytest

from telephony.postcodes import cities_of
from telephony.validation import VERSION, Civic, KnownCity, Result, content_hash, tell_message, validate
from telephony.validation.texts import TEXTS

pytestmark = pytest.mark.django_db


def check(country, number, street, city, region, code, keep=(), **more):
    civic = Civic(
        country=country, house_number=number, street=street, city=city, region=region, postal_code=code, **more
    )
    return validate(civic, cities=cities_of, keep=keep)


def changes(result):
    return {change["field"]: change["new"] for change in result.changes}


def errors(result):
    return {(message.field, message.code) for message in result.messages if message.level == "error"}


def warnings(result):
    return {(message.field, message.code) for message in result.messages if message.level == "warning"}


RIGHT = [
    ("US", "1", "Microsoft Way", "Redmond", "WA", "98052"),
    ("US", "1", "Microsoft Way", "Redmond", "WA", "98052-6399"),
    ("US", "350", "5th Ave", "New York", "NY", "10118"),
    ("US", "350", "Fifth Avenue", "New York", "NY", "10118"),
    ("US", "1", "Front St", "Brooklyn", "NY", "11201"),
    ("US", "1", "Front St", "Brooklyn Heights", "NY", "11201"),
    ("US", "1", "Market St", "St. Louis", "MO", "63101"),
    ("US", "1", "Market St", "Saint Louis", "MO", "63101"),
    ("US", "1600", "Pennsylvania Avenue NW", "Washington", "DC", "20500"),
    ("US", "1", "Calle Fortaleza", "San Juan", "PR", "00901"),
    ("US", "12", "Boxwood Lane", "Seattle", "WA", "98101"),
    ("US", "1", "O'Reilly & Sons Way #5", "Sebastopol", "CA", "95472"),
    ("US", "100 1/2", "N 39.2 Road", "Redmond", "WA", "98052"),
    ("US", "5", "300 South", "Salt Lake City", "UT", "84111"),
    ("US", "5", "State Route 9", "Redmond", "WA", "98052"),
    ("FR", "1", "rue de Rivoli", "Paris", "", "75001"),
    ("FR", "1", "rue de Rivoli", "Paris", "Île-de-France", "75001"),
    ("FR", "1", "rue de Rivoli", "Paris", "75", "75001"),
    ("FR", "12 bis", "rue de la Paix", "Paris", "", "75002"),
    ("FR", "", "Place de la Mairie", "Nantes", "Loire-Atlantique", "44000"),
    ("FR", "1", "rue du 8 Mai 1945", "St Etienne", "", "42000"),
    ("FR", "1", "rue de l’Église", "Saint-Étienne", "", "42000"),
    ("FR", "1", "rue de l'Église", "L'Haÿ-les-Roses", "", "94240"),
    ("FR", "4", "avenue de la Victoire", "Saint-Denis", "La Réunion", "97400"),
    ("GB", "10", "Downing Street", "London", "", "SW1A 2AA"),
    ("GB", "10", "Downing Street", "Londn", "", "SW1A 2AA"),
    ("GB", "Rose Cottage", "Mill Lane", "Bath", "", "BA1 1AA"),
    ("GB", "", "The Old Rectory", "Bath", "", "BA1 1AA"),
    ("SE", "1", "Drottninggatan", "Stockholm", "", "111 51"),
    ("SE", "4 B", "Stora Nygatan", "Göteborg", "", "411 08"),
    ("DE", "77", "Unter den Linden", "Berlin", "", "10117"),
    ("JP", "4-2-8", "Shibakoen", "Minato", "Tokyo", "105-0011"),
    ("HK", "1", "Queen's Road", "Hong Kong", "", ""),
]


@pytest.mark.parametrize("typed", RIGHT)
def test_what_is_right_is_left_as_it_is(typed):
    result = check(*typed)

    assert (result.status, result.changes) == ("validated", [])
    assert result.normalized == result.typed
    assert "invalid" not in result.fields.values()


CORRECTED = [
    (("US", "1", "Microsoft Way", "Redmnd", "WA", "98052"), {"city": "Redmond"}),
    (("US", "1", "Microsoft Way", "REDMOND", "wa", "98052"), {"city": "Redmond", "region": "WA"}),
    (("US", "1", "Microsoft Way", "Redmond", "washington", "980526399"), {"region": "WA", "postal_code": "98052-6399"}),
    (("US", "1", "Microsoft Way", "Redmond", "", "98052"), {"region": "WA"}),
    (("US", "", "1 Microsoft Way", "Redmond", "WA", "98052"), {"house_number": "1", "street": "Microsoft Way"}),
    (("US", "1", "1 Microsoft Way", "Redmond", "WA", "98052"), {"street": "Microsoft Way"}),
    (("US", "123", "5 Avenue", "New York", "NY", "10001"), {"street": "5th Avenue"}),
    (("US", "", "123 5 Avenue", "New York", "NY", "10001"), {"house_number": "123", "street": "5th Avenue"}),
    (("US", "5", "W 42 Street", "New York", "NY", "10036"), {"street": "W 42nd Street"}),
    (("US", "5", "11 Ave", "New York", "NY", "10001"), {"street": "11th Ave"}),
    (("US", "5", "22th Street", "New York", "NY", "10010"), {"street": "22nd Street"}),
    (("US", "5", "1 St", "New York", "NY", "10003"), {"street": "1st St"}),
    (("US", "5", "NYC Plaza", "NYC", "NY", "10118"), {"city": "New York"}),
    (("US", "5", "Broadway", "Manhattan", "New York", "10003"), {"city": "New York", "region": "NY"}),
    (("US", "1", "Pennsylvania Ave", "Washington, D.C.", "D.C.", "20500"), {"city": "Washington", "region": "DC"}),
    (("US", "1", "Main St", "Mountan Veiw", "CA", "94043"), {"city": "Mountain View"}),
    (("FR", "1", "rue de Rivoli", "paris", "", "75 001"), {"city": "Paris", "postal_code": "75001"}),
    (("FR", "1", "rue de Rivoli", "Pariss", "", "F-75001"), {"city": "Paris", "postal_code": "75001"}),
    (("FR", "1", "rue de Rivoli", "Paris 1er", "", "75001"), {"city": "Paris"}),
    (("FR", "1", "rue de Rivoli", "Paris 16e arrondissement", "", "75116"), {"city": "Paris"}),
    (("FR", "1", "rue de Rivoli", "LYON 2EME", "", "69002"), {"city": "Lyon"}),
    (("FR", "12", "bd Haussmann", "Paris", "", "75009"), {"street": "boulevard Haussmann"}),
    (("FR", "12", "Av. Foch", "Paris", "", "75116"), {"street": "Avenue Foch"}),
    (("FR", "", "12 ter, avenue Foch", "Nice", "", "06000"), {"house_number": "12 ter", "street": "avenue Foch"}),
    (("FR", "1", "rue X", "ISSY LES MOULINEAUX", "", "92130"), {"city": "Issy les Moulineaux"}),
    (("GB", "10", "Downing Street", "London", "", "sw1a2aa"), {"postal_code": "SW1A 2AA"}),
    (("GB", "1", "High Street", "Bath", "", "ba11aa"), {"postal_code": "BA1 1AA"}),
    (("SE", "1", "Drottninggatan", "Stockholm", "", "11151"), {"postal_code": "111 51"}),
    (("SE", "", "Drottninggatan 1 B", "Stockholm", "", "111 51"), {"house_number": "1 B", "street": "Drottninggatan"}),
    (("SE", "1", "Drottninggatan", "Stokholm", "", "111 51"), {"city": "Stockholm"}),
    (("SE", "1", "Stora Nygatan", "Malmo", "", "SE-211 22"), {"city": "Malmö", "postal_code": "211 22"}),
    (("SE", "1", "Stora Nygatan", "goteborg", "", "411 03"), {"city": "Göteborg"}),
    (("DE", "", "Unter den Linden 77", "Berlin", "", "10117"), {"house_number": "77", "street": "Unter den Linden"}),
    (("DE", "77", "Unter den Linden", "Berlin", "", "D-10117"), {"postal_code": "10117"}),
    (("CA", "1", "Yonge St", "Toronto", "", "m5e1e5"), {"postal_code": "M5E 1E5", "region": "ON"}),
    (("NL", "1", "Damrak", "Amsterdam", "", "1012lg"), {"postal_code": "1012 LG"}),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "expected"), CORRECTED)
def test_what_was_surely_meant_otherwise_is_corrected_and_nothing_else(typed, expected):
    result = check(*typed)

    assert (result.status, changes(result)) == ("corrected", expected)
    assert result.normalized.as_dict() == {**result.typed.as_dict(), **expected}
    assert validate(result.normalized, cities=cities_of).status == "validated"


WARNED = [
    (("US", "1", "Main St", "Seattle", "WA", "98052"), ("city", "city_of_code")),
    (("US", "1", "Main St", "Nwe Yrok", "NY", "10001"), ("city", "city_of_code")),
    (("US", "1", "Main St", "Redmond", "WA", "98999"), ("postal_code", "postal_code_unknown")),
    (("US", "", "RR 2 Box 152", "Redmond", "WA", "98052"), ("street", "rural")),
    (("US", "", "HC 72 Box 293", "Redmond", "WA", "98052"), ("street", "rural")),
    (("US", "1", "5th Ave & Main St", "Redmond", "WA", "98052"), ("street", "corner")),
    (("FR", "1", "rue Lafayette", "Lyon", "", "75001"), ("city", "city_of_code")),
    (("FR", "1", "rue Lafayette", "Lion", "", "69002"), ("city", "city_of_code")),
    (("FR", "1", "rue Lafayette", "Montceaux", "", "01090"), ("city", "city_of_code")),
    (("FR", "1", "rue Lafayette", "Paris 2e", "", "75001"), ("city", "district")),
    (("FR", "1", "rue Lafayette", "Paris", "", "75099"), ("postal_code", "postal_code_unknown")),
    (("SE", "1", "Drottninggatan", "Uppsala", "", "111 51"), ("city", "city_of_code")),
    (("SE", "1", "Drottninggatan", "Kiruna", "", "999 99"), ("postal_code", "postal_code_unknown")),
]


@pytest.mark.parametrize(("typed", "expected"), WARNED)
def test_what_is_doubtful_is_a_warning_and_stays(typed, expected):
    result = check(*typed)

    assert (result.status, warnings(result)) == ("warning", {expected})
    assert result.accepted


REJECTED = [
    (("US", "1", "Microsoft Way", "Redmond", "CA", "98052"), ("postal_code", "postal_code_elsewhere")),
    (("US", "1", "Main St", "Redmond", "WA", "9805"), ("postal_code", "postal_code_shape")),
    (("US", "1", "Main St", "Redmond", "WA", ""), ("postal_code", "missing")),
    (("US", "1", "Main St", "", "WA", "98052"), ("city", "missing")),
    (("US", "1", "Main St", "Redmond", "Narnia", "98052"), ("region", "region")),
    (("US", "", "Microsoft Way", "Redmond", "WA", "98052"), ("house_number", "number_missing")),
    (("US", "none", "Microsoft Way", "Redmond", "WA", "98052"), ("house_number", "number_without_digit")),
    (("US", "0", "Microsoft Way", "Redmond", "WA", "98052"), ("house_number", "number_zero")),
    (("US", "1", "Avenue", "Redmond", "WA", "98052"), ("street", "street_type_alone")),
    (("US", "", "PO Box 12", "Seattle", "WA", "98101"), ("street", "po_box")),
    (("US", "", "P.O. Box 12", "Seattle", "WA", "98101"), ("street", "po_box")),
    (("US", "", "p o box 12", "Seattle", "WA", "98101"), ("street", "po_box")),
    (("US", "", "Post Office Box 12", "Seattle", "WA", "98101"), ("street", "po_box")),
    (("US", "PO Box 12", "Main St", "Seattle", "WA", "98101"), ("house_number", "po_box")),
    (("US", "", "Box 12", "Seattle", "WA", "98101"), ("street", "po_box")),
    (("US", "", "General Delivery", "Seattle", "WA", "98101"), ("street", "general_delivery")),
    (("US", "", "PSC 1234 Box 5678", "APO", "AE", "09012"), ("city", "military")),
    (("US", "1", "Unit 2050", "FPO", "AP", "96349"), ("city", "military")),
    (("FR", "1", "rue de Rivoli", "Paris", "", "7500"), ("postal_code", "postal_code_shape")),
    (("FR", "1", "rue de Rivoli", "Paris", "", "99000"), ("postal_code", "postal_code_nowhere")),
    (("FR", "1", "rue de Rivoli", "Paris", "Rhône", "75001"), ("postal_code", "postal_code_in")),
    (("FR", "12", "rue de la Paix", "Paris Cedex 02", "", "75084"), ("city", "cedex")),
    (("FR", "12", "rue de la Paix CEDEX", "Paris", "", "75002"), ("street", "cedex")),
    (("FR", "", "BP 123", "Lyon", "", "69002"), ("street", "po_box")),
    (("FR", "", "Boîte postale 7", "Lyon", "", "69002"), ("street", "po_box")),
    (("GB", "", "PO Box 99", "London", "", "EC1A 1BB"), ("street", "po_box")),
    (("GB", "1", "X Barracks", "London", "", "BFPO 12"), ("postal_code", "military")),
    (("GB", "10", "Downing Street", "London", "", "SW1A"), ("postal_code", "postal_code_shape")),
    (("GB", "10", "Downing Street", "London", "", "ZZ1 1AA"), ("postal_code", "postal_code_shape")),
    (("SE", "", "Box 123", "Stockholm", "", "111 51"), ("street", "po_box")),
    (("SE", "1", "Drottninggatan", "Stockholm", "", "1115"), ("postal_code", "postal_code_shape")),
    (("DE", "", "Postfach 12", "Berlin", "", "10117"), ("street", "po_box")),
    (("CA", "1", "Yonge St", "Toronto", "BC", "M5E 1E5"), ("postal_code", "postal_code_elsewhere")),
    (("FR", "1", "", "Paris", "", "75001"), ("street", "missing")),
    (("FR", "1", "---", "Paris", "", "75001"), ("street", "unseen")),
    (("FR", "1", "\u200b\u3164", "Paris", "", "75001"), ("street", "unseen")),
    (("FR", "1", "rue\x00 de Rivoli", "Paris", "", "75001"), ("street", "control")),
    (("FR", "1", "rue \u202ede Rivoli", "Paris", "", "75001"), ("street", "direction")),
    (("FR", "1", "rue \ud800 de Rivoli", "Paris", "", "75001"), ("street", "control")),
    (("FR", "1", "x" * 300, "Paris", "", "75001"), ("street", "long")),
    (("FR", "1", "rue\n" * 40, "Paris", "", "75001"), ("street", "long")),
    (("XX", "1", "rue de Rivoli", "Paris", "", "75001"), ("country", "country")),
    (("", "1", "rue de Rivoli", "Paris", "", "75001"), ("country", "missing")),
]


@pytest.mark.parametrize(("typed", "expected"), REJECTED)
def test_what_can_not_be_is_rejected_at_its_field(typed, expected):
    result = check(*typed)

    assert result.status == "rejected"
    assert expected in errors(result)
    assert result.fields[expected[0]] == "invalid"
    assert result.changes == []


def test_refusals_of_what_is_for_letters_say_so_in_plain_words():
    box = check("US", "", "PO Box 12", "Seattle", "WA", "98101")
    cedex = check("FR", "12", "rue de la Paix", "Paris Cedex 02", "", "75084")

    assert "PO box is not dispatchable" in tell_message(box.messages[0])
    assert tell_message(cedex.messages[0]).startswith("CEDEX is not dispatchable")


def test_hidden_characters_and_double_spaces_are_dropped_without_a_word():
    result = check("FR", "1", "\ufeff rue  de\u200b Rivoli ", "Paris", "", "75001")

    assert (result.status, result.normalized.street) == ("validated", "rue de Rivoli")


def test_accents_typed_in_two_parts_are_joined():
    assert check("SE", "1", "Gatan", "Malmo\u0308", "", "211 22").normalized.city == "Malmö"


def test_the_country_may_be_written_small_and_the_united_kingdom_as_people_say():
    assert check("fr", "1", "rue de Rivoli", "Paris", "", "75001").normalized.country == "FR"
    assert check("uk", "10", "Downing Street", "London", "", "SW1A 2AA").normalized.country == "GB"


def test_a_city_that_is_kept_is_a_warning_with_the_suggestion():
    result = check("US", "1", "Microsoft Way", "Redmnd", "WA", "98052", keep=["city"])

    assert (result.status, result.normalized.city) == ("warning", "Redmnd")
    assert result.messages[0].suggestions == ("Redmond",)


def test_a_street_that_is_kept_is_a_warning_with_the_suggestion():
    result = check("US", "123", "5 Avenue", "New York", "NY", "10001", keep=["street"])

    assert (result.status, result.normalized.street) == ("warning", "5 Avenue")
    assert result.messages[0].suggestions == ("5th Avenue",)


def test_the_tip_about_endings_comes_with_the_correction():
    notes = [message.code for message in check("US", "1", "5 Avenue", "New York", "NY", "10001").messages]

    assert notes == ["ordinal"]


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [
        ("91", "2", "coordinates_swapped"),
        ("-122.1", "47.6", "coordinates_swapped"),
        ("200", "2", "coordinate"),
        ("48", "181", "coordinate"),
        ("NaN", "2", "coordinate"),
        ("Infinity", "2", "coordinate"),
        ("north", "2", "coordinate"),
        ("48", "", "coordinate_alone"),
        ("", "2", "coordinate_alone"),
    ],
)
def test_coordinates_that_are_not_on_earth_are_refused(latitude, longitude, code):
    result = check("FR", "1", "rue de Rivoli", "Paris", "", "75001", latitude=latitude, longitude=longitude)

    assert code in {error for _field, error in errors(result)}


def test_coordinates_may_have_a_comma():
    result = check("FR", "1", "rue de Rivoli", "Paris", "", "75001", latitude="48,8606", longitude="2.3376")

    assert (result.normalized.latitude, result.normalized.longitude) == ("48.8606", "2.3376")


def test_an_american_street_is_told_apart_into_its_parts():
    parts = check("US", "12", "North Main Street SW", "Seattle", "WA", "98101").parts

    assert {name: parts[name] for name in ("pre_directional", "street_name", "street_suffix", "post_directional")} == {
        "pre_directional": "N",
        "street_name": "Main",
        "street_suffix": "ST",
        "post_directional": "SW",
    }
    assert check("US", "12", "North Street", "Seattle", "WA", "98101").parts["street_name"] == "North"
    assert check("US", "12", "Park Place Drive", "Seattle", "WA", "98101").parts["street_name"] == "Park Place"


def test_a_french_street_is_told_apart_into_its_parts():
    parts = check("FR", "12bis", "rue de la Paix", "Paris", "", "75002").parts

    assert (parts["house_number_suffix"], parts["street_prefix"], parts["street_name"]) == ("bis", "rue", "de la Paix")


def test_what_belongs_into_a_place_is_told():
    result = check("US", "1", "Main St Suite 200", "Redmond", "WA", "98052")

    assert (result.status, [message.code for message in result.messages]) == ("validated", ["unit"])


def test_without_postal_codes_cities_are_unchecked_and_nothing_is_doubted():
    civic = Civic(country="SE", house_number="1", street="Drottninggatan", city="Stokholm", postal_code="11151")

    result = validate(civic, cities=lambda country, code: None)

    assert (result.status, result.fields["city"], changes(result)) == (
        "corrected",
        "unchecked",
        {"postal_code": "111 51"},
    )


def test_a_zip_code_that_is_known_in_another_state_is_refused():
    civic = Civic("US", "", "1", "Main St", "98052", "Portland", "WA")

    result = validate(civic, cities=lambda country, code: [KnownCity("Portland", "OR")])

    assert errors(result) == {("postal_code", "postal_code_in")}


def test_a_result_is_bound_to_its_content_and_to_the_version_of_the_validator():
    result = check("US", "1", "Microsoft Way", "Redmnd", "WA", "98052")

    assert result.content_hash == content_hash(result.normalized, VERSION)
    assert result.content_hash != content_hash(result.typed, VERSION)
    assert result.content_hash != content_hash(result.normalized, "another")
    assert Result.from_json(result.as_json()) == result


def test_no_sentence_claims_that_an_emergency_service_knows_an_address():
    assert not [text for text in TEXTS.values() if "confirm" in str(text) or "guarantee" in str(text)]
