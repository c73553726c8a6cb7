import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.names import (
    NameAllocator,
    NameProblem,
    check_person_name,
    check_skype_name,
    describe,
    fold,
    free_names,
    initials,
    is_skype_name,
    numbered,
    path_sort_key,
    propose_admin_name,
    propose_skype_name,
    propose_slug,
    search_text,
    sort_key,
    split_full_name,
    tidy_name,
)

SKYPE_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9.,_-]{5,31}\Z")


# Names of people


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("   ", ""),
        (" Lars ", "Lars"),
        ("A", "A"),
        ("O’Brien", "O’Brien"),
        ("İ", "İ"),
        ("ß", "ß"),
        ("e\u0301", "é"),
        ("\ufeffAnna", "Anna"),
        ("Jean\u00a0Luc", "Jean Luc"),
        ("Two\nLines", "Two Lines"),
        ("a\tb\rc", "a b c"),
        ("\u200bname", "name"),
        ("An\u00adna", "Anna"),
        ("👨\u200d👩\u200d👧\u200d👦", "👨\u200d👩\u200d👧\u200d👦"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("محمد", "محمد"),
        ("भारत", "भारत"),
        ("ﷺ" * 50, "ﷺ" * 50),
        ("<b>x</b>", "<b>x</b>"),
        ('"><svg/onload=alert(1)>', '"><svg/onload=alert(1)>'),
        ('=HYPERLINK("http://x","y")', '=HYPERLINK("http://x","y")'),
        ("'; DROP TABLE", "'; DROP TABLE"),
        ("J.R. Smith", "J.R. Smith"),
        ("St.John", "St.John"),
        ("Dr.Li", "Dr.Li"),
        ("S.A.R.L. du Nord", "S.A.R.L. du Nord"),
        ("SERV.RH", "SERV.RH"),
        ("Dept.IT", "Dept.IT"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_kept_as_the_person_writes_it(text, kept):
    assert check_person_name(text) == kept
    assert check_person_name(kept) == kept


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\u200b", "name_unseen"),
        ("\u3164", "name_unseen"),
        ("\u200d", "name_unseen"),
        ("\u2800\ufe0f", "name_unseen"),
        ("a\x00b", "name_control"),
        ("a\x07b", "name_control"),
        ("\x1b[2J", "name_control"),
        ("a\x85b", "name_control"),
        ("\ud800", "name_control"),
        ("a\u2028b", "name_control"),
        ("a\U000e0041", "name_control"),
        ("\u202eevil", "name_direction"),
        ("a\u2066b", "name_direction"),
        ("http://evil.example/win", "name_link"),
        ("https://10.0.0.1", "name_link"),
        ("evil.com", "name_link"),
        ("EVIL.COM", "name_link"),
        ("EVIL.IO", "name_link"),
        ("evil.co.uk", "name_link"),
        ("evil。com", "name_link"),
        ("ｅｖｉｌ．com", "name_link"),
        ("www.evil", "name_link"),
        ("Win at evil.io/now", "name_link"),
        ("[x](http://evil.test)", "name_link"),
        ("x" * 101, "name_long"),
        ("x" * 1_000_000, "name_long"),
    ],
)
def test_a_name_that_could_deceive_or_harm_is_refused(text, code):
    with pytest.raises(NameProblem) as refusal:
        check_person_name(text)

    assert refusal.value.code == code
    assert describe(code, refusal.value.facts) == str(refusal.value)
    assert "%(" not in str(refusal.value)


def test_an_empty_name_is_refused_only_where_one_is_required():
    assert check_person_name(" ") == ""

    with pytest.raises(NameProblem) as refusal:
        check_person_name(" ", required=True)

    assert refusal.value.code == "name_missing"


def test_a_change_that_could_surprise_comes_with_a_note():
    assert tidy_name("Two\nLines") == ("Two Lines", [{"code": "name_lines_joined", "facts": {}}])
    assert tidy_name("\u200bname") == ("name", [{"code": "name_unseen_removed", "facts": {}}])
    assert tidy_name("\ufeff Anna  Berg ") == ("Anna Berg", [])


@given(st.text(max_size=120))
def test_an_accepted_name_stays_as_it_is(text):
    try:
        kept = check_person_name(text)
    except NameProblem as problem:
        assert str(problem)
    else:
        assert check_person_name(kept) == kept
        assert unicodedata.is_normalized("NFC", kept)
        assert kept.encode().decode() == kept


@pytest.mark.parametrize(
    ("full_name", "parts"),
    [
        ("", ("", "")),
        ("Anna", ("Anna", "")),
        ("Anna Berg", ("Anna", "Berg")),
        ("Berg, Anna", ("Anna", "Berg")),
        ("BERG Anna", ("Anna", "BERG")),
        ("Jean DE LA TOUR", ("Jean", "DE LA TOUR")),
        ("ANNA BERG", ("ANNA", "BERG")),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven")),
        ("Anna Maria Berg", ("Anna Maria", "Berg")),
        ("Anna Berg (External)", ("Anna", "Berg")),
    ],
)
def test_a_full_name_is_split_by_its_shape(full_name, parts):
    assert split_full_name(full_name) == parts


def test_the_address_tells_which_of_two_words_is_the_first_name():
    assert split_full_name("Åkesson Björn", address="bjorn.akesson@x.com") == ("Björn", "Åkesson")
    assert split_full_name("Björn Åkesson", address="bjorn.akesson@x.com") == ("Björn", "Åkesson")


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Hélène Marchand", "HM"),
        ("Fondation Åkesson", "FÅ"),
        ("Jean-Paul Belmondo", "JB"),
        ("Ludwig van Beethoven", "LB"),
        ("Architectes", "AR"),
        ("anna.berg", "AB"),
        ("", ""),
    ],
)
def test_initials_stand_for_a_name(name, letters):
    assert initials(name) == letters


# Searching and sorting


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Anna  BERG", "anna berg"),
        ("Åsa Ørn", "asa orn"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Łódź", "lodz"),
        ("Æsir Œuvre Þór", "aesir oeuvre thor"),
        ("O’Brien", "o'brien"),
        ("é", "e"),
        ("e\u0301", "e"),
        ("ｆｕｌｌ", "full"),
        ("Иван Йорк", "иван иорк"),
        ("한국", "한국"),
    ],
)
def test_folding_leaves_what_people_search_by(text, folded):
    assert fold(text) == folded


def test_search_text_joins_what_is_known_and_fits_its_column():
    assert search_text("Zoë", "", "Brontë", "zoe_bronte") == "zoe bronte zoe_bronte"
    assert len(search_text("ﷺ" * 100, "ﷺ" * 100)) == 600


def by_name(language, names):
    return sorted(names, key=lambda name: sort_key(name, language))


def test_swedish_has_three_letters_after_z():
    names = ["Öberg", "Zorn", "Ärlig", "Åkesson", "Andersson", "Ørsted", "Æbelø"]

    assert by_name("sv", names) == ["Andersson", "Zorn", "Åkesson", "Æbelø", "Ärlig", "Öberg", "Ørsted"]
    assert by_name("sv", ["Иван", "Öberg"]) == ["Öberg", "Иван"]


def test_elsewhere_accents_only_decide_between_names_that_are_alike():
    names = ["Öberg", "Zorn", "Ärlig", "Åkesson", "Andersson", "Cote", "Côté", "Coté", "Etienne", "Éva"]

    assert by_name("fr", names) == [
        "Åkesson",
        "Andersson",
        "Ärlig",
        "Cote",
        "Coté",
        "Côté",
        "Etienne",
        "Éva",
        "Öberg",
        "Zorn",
    ]


@pytest.mark.parametrize("language", ["en", "fr", "sv"])
def test_a_shorter_name_comes_first_and_marks_do_not_matter(language):
    assert by_name(language, ["Bergman", "Berg Anna", "berg", "O'Brien", "Obrecht"]) == [
        "berg",
        "Berg Anna",
        "Bergman",
        "Obrecht",
        "O'Brien",
    ]


def test_names_in_other_scripts_and_without_letters_come_after_latin():
    assert by_name("en", ["👍", "Иван", "Zorn", "!!"]) == ["Zorn", "!!", "Иван", "👍"]


def test_what_lies_under_a_department_follows_it():
    paths = [("Études",), ("Etudes",), ("Etudes", "Bois"), ("Etudes sup",), ("Études", "Acier"), ("Ventes",)]

    assert sorted(paths, key=lambda path: path_sort_key(path, "fr")) == [
        ("Etudes",),
        ("Etudes", "Bois"),
        ("Études",),
        ("Études", "Acier"),
        ("Etudes sup",),
        ("Ventes",),
    ]


@given(st.text(max_size=100), st.sampled_from(["en", "fr", "sv"]))
def test_a_sort_key_fits_its_column_and_ignores_case(name, language):
    key = sort_key(name, language)

    assert len(key) <= 600
    assert "\x00" not in key or "\x00" in name
    assert sort_key(name.casefold(), language) == key


@given(st.lists(st.text(alphabet="abzABZ ", max_size=6), max_size=8), st.sampled_from(["en", "fr", "sv"]))
def test_plain_names_sort_as_words_do(names, language):
    plain = [" ".join(name.lower().split()) for name in names if name.strip()]

    assert by_name(language, plain) == sorted(plain)


# Skype Names


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "skype_name_missing"),
        ("abcde", "skype_name_short"),
        ("a" * 33, "skype_name_long"),
        ("1abcdef", "skype_name_first"),
        ("_abcdef", "skype_name_first"),
        ("anna berg", "skype_name_space"),
        ("prénom_nom", "skype_name_character"),
        ("anna@berg", "skype_name_character"),
        ("anna\u200bberg", "skype_name_character"),
        ("anna٣berg", "skype_name_character"),
    ],
)
def test_what_can_be_no_skype_name_is_refused_with_its_reason(text, code):
    with pytest.raises(NameProblem) as refusal:
        check_skype_name(text)

    assert refusal.value.code == code
    assert str(refusal.value)


def test_a_skype_name_is_kept_as_typed():
    assert check_skype_name(" Anna.Berg-2,x_ ") == "Anna.Berg-2,x_"
    assert check_skype_name("a" * 32) == "a" * 32
    assert check_skype_name("abcdef") == "abcdef"


@pytest.mark.parametrize(
    ("person", "name", "codes"),
    [
        ({"wanted": "Anna.Berg"}, "Anna.Berg", []),
        ({"wanted": "prénom_nom"}, "prenom_nom", ["skype_name_ascii"]),
        ({"wanted": "zoë_brontë"}, "zoe_bronte", ["skype_name_ascii"]),
        ({"wanted": "lars olsson"}, "lars.olsson", ["skype_name_changed"]),
        ({"wanted": "o'brien"}, "obrien", ["skype_name_changed"]),
        ({"wanted": "CORP\\anna.berg"}, "anna.berg", ["skype_name_changed"]),
        ({"wanted": "anna.berg@corp.example"}, "anna.berg", ["skype_name_changed"]),
        ({"wanted": "jose", "first_name": "José"}, "jose.architectes", ["skype_name_completed"]),
        ({"wanted": "jose", "first_name": "José", "last_name": "Silva"}, "jose.silva", ["skype_name_completed"]),
        ({"wanted": "ab"}, "ab.architectes", ["skype_name_completed"]),
        ({"wanted": "1digits"}, "architectes.1digits", ["skype_name_completed"]),
        ({"wanted": "004512", "first_name": "Anna"}, "anna.004512", ["skype_name_completed"]),
        ({"wanted": "=1+1", "address": "anna.berg@x.com"}, "anna.berg", ["skype_name_unusable"]),
        ({"wanted": "анна", "address": "anna.berg@x.com"}, "anna.berg", ["skype_name_unusable"]),
        ({"wanted": "a" * 40}, "a" * 32, ["skype_name_shortened"]),
        ({"address": "Gillian.Garner@x.com"}, "gillian.garner", []),
        ({"address": "a+1@x.com"}, "a.1.architectes", []),
        ({"address": "jo@x.com", "first_name": "Jo", "last_name": "Li"}, "jo.li.architectes", []),
        ({"first_name": "Björn", "last_name": "Åkesson"}, "bjorn.akesson", []),
        ({}, "architectes", []),
    ],
)
def test_a_skype_name_is_proposed_from_what_is_known(person, name, codes):
    proposal, notes = propose_skype_name(**person, company="Architectes du Nord")

    assert proposal == name
    assert [note["code"] for note in notes] == codes
    assert all(describe(note["code"], note["facts"]) for note in notes)


TEXT = st.text(max_size=50) | st.text(alphabet="aé1 .,_-@+\\'=", max_size=40)


@given(TEXT, TEXT, TEXT, TEXT, TEXT, st.integers(2, 10**9))
def test_every_proposal_is_a_skype_name_with_or_without_a_number(wanted, address, first, last, company, number):
    proposal, _notes = propose_skype_name(
        wanted=wanted, address=address, first_name=first, last_name=last, company=company
    )

    assert SKYPE_NAME.match(proposal)
    assert is_skype_name(proposal)
    assert SKYPE_NAME.match(numbered(proposal, number))


def test_a_number_follows_the_name_and_fits():
    assert numbered("bjorn.akesson", 2) == "bjorn.akesson2"
    assert numbered("agent7", 2) == "agent7.2"
    assert numbered("a" * 32, 10) == "a" * 30 + "10"


def test_a_taken_name_gets_the_first_free_number():
    assert free_names(["bjorn.akesson"], {"Bjorn.Akesson", "bjorn.akesson2"}) == ["bjorn.akesson3"]
    assert free_names(["Anna.Berg", "anna.berg", "ANNA.BERG"], set()) == ["Anna.Berg", "anna.berg2", "ANNA.BERG3"]


def test_a_name_somebody_wants_goes_before_a_numbered_one():
    assert free_names(["anna.berg", "anna.berg", "anna.berg2"], set()) == ["anna.berg", "anna.berg3", "anna.berg2"]


def test_an_allocator_remembers_over_chunks_and_asks_little():
    in_use = {"office"} | {f"office{number}" for number in range(2, 5_000)}
    questions = []

    def find_taken(names):
        questions.append(len(names))
        return in_use.intersection(names)

    allocator = NameAllocator(find_taken)
    first, second = allocator.claim(["office"] * 1_000), allocator.claim(["office"] * 1_000)

    assert first[0] == "office5000"
    assert len({*first, *second}) == 2_000
    assert not in_use.intersection(first + second)
    assert len(questions) < 20


@given(st.lists(st.sampled_from(["anna.b", "Anna.B", "anna.b2", "anna.b3", "x" * 32, "x" * 31 + "2"]), max_size=30))
def test_names_given_out_are_valid_and_differ_without_regard_to_case(proposals):
    names = free_names(proposals, {"anna.b4"})

    assert len({name.lower() for name in names} | {"anna.b4"}) == len(proposals) + 1
    assert all(is_skype_name(name) for name in names)


# Organizations


@pytest.mark.parametrize(
    ("company", "slug", "admin"),
    [
        ("Architectes", "architectes", "architectes.admin"),
        ("Fondation Åkesson", "fondation-akesson", "fondation-akesson.admin"),
        ("L’Oréal S.A.", "loreal-sa", "loreal-sa.admin"),
        ("3M", "3m", "admin.3m"),
        ("株式会社", "organization", "organization.admin"),
        ("Architectes et urbanistes du Nord", "architectes-et-urbanistes-du-nord", "architectes-et-urbanistes.admin"),
    ],
)
def test_a_company_gets_a_slug_and_an_administrator(company, slug, admin):
    assert propose_slug(company) == slug
    assert propose_admin_name(company) == admin


@given(st.text(max_size=200))
def test_any_company_gets_a_valid_slug_and_administrator(company):
    assert re.fullmatch(r"[a-z0-9-]{1,60}", propose_slug(company))
    assert is_skype_name(propose_admin_name(company))
