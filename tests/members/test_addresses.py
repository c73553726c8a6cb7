import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.addresses import (
    TEXTS,
    AddressProblem,
    Mailbox,
    describe,
    display_address,
    normalize_address,
    read_mailbox,
    same_address_key,
    split_addresses,
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a@x.com", "a@x.com"),
        ("  Anna.Berg@Example.COM ", "Anna.Berg@example.com"),
        ("a+1@x.com", "a+1@x.com"),
        ("o'brien@x.com", "o'brien@x.com"),
        ("=cmd|a@x.com", "=cmd|a@x.com"),
        ("a@münchen.de", "a@xn--mnchen-3ya.de"),
        ("a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
        ("a@XN--MNCHEN-3YA.de", "a@xn--mnchen-3ya.de"),
        ("a@ｘ.com", "a@x.com"),
        ("a@x。com", "a@x.com"),
        ("a@faß.de", "a@xn--fa-hia.de"),
        ("a@пример.рф", "a@xn--e1afmkfd.xn--p1ai"),
        ("a@sub.sub.x.co.uk", "a@sub.sub.x.co.uk"),
        ("a@r3--x.com", "a@r3--x.com"),
        ("100%@x.com", "100%@x.com"),
        (f"{'a' * 64}@x.com", f"{'a' * 64}@x.com"),
    ],
)
def test_an_address_is_kept_in_one_form(text, kept):
    assert normalize_address(text) == kept
    assert normalize_address(kept) == kept


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "address_missing"),
        (" \t", "address_missing"),
        ("anna", "address_no_at"),
        ("lucas.garnier@architectes", "address_incomplete"),
        ("a@", "address_incomplete"),
        ("@x.com", "address_nothing_before"),
        ("a@[127.0.0.1]", "address_numbers"),
        ("a@[IPv6:::1]", "address_numbers"),
        ("a@127.0.0.1", "address_numbers"),
        ("a@x.com\u200b", "address_unseen"),
        ("\u202ea@x.com", "address_unseen"),
        ("a\x00@x.com", "address_unseen"),
        ("\ud800@x.com", "address_unseen"),
        ("a@x.com\r\nBcc: z@z.z", "address_several"),
        ("a@x.com\r\nBcc: z", "address_space"),
        ("a@x.com,b@x.com", "address_several"),
        ("a@x.com;b@x.com", "address_several"),
        ("a@x.com;", "address_character"),
        ("Anna <a@x.com>", "address_with_name"),
        ("a..b@x.com", "address_dots"),
        (".a@x.com", "address_dots"),
        ("a.@x.com", "address_dots"),
        ("аdmin@x.com", "address_look_alike"),
        ("josé@exämple.example", "address_not_ascii"),
        ("a@x.com%0aBcc:z", "address_encoded"),
        ("a%0Ab@x.com", "address_encoded"),
        ("javascript:alert(1)@x.com", "address_character"),
        ("=cmd|'/c calc'!A1@example.com", "address_space"),
        ('"anna"@x.com', "address_character"),
        (f"{'a' * 65}@x.com", "address_local_long"),
        (f"a@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 10}.com", "address_long"),
        (f"a@{'x' * 64}.com", "address_domain"),
        (f"{'a' * 1_000_000}@x.com", "address_local_long"),
        ("a@x..com", "address_domain"),
        ("a@-x.com", "address_domain"),
        ("a@x_y.com", "address_domain"),
        ("a@x.com.", "address_domain"),
        ("a@x.c", "address_domain"),
        ("a@xn--.com", "address_domain"),
        ("a@☃.com", "address_domain"),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(text, code):
    with pytest.raises(AddressProblem) as refusal:
        normalize_address(text)

    assert refusal.value.code == code
    assert refusal.value.field == "email"
    assert describe(code, refusal.value.facts) == str(refusal.value)
    assert len(str(refusal.value)) < 200
    assert "%(" not in str(refusal.value)


def test_a_look_alike_is_told_with_the_letter_it_looks_like():
    with pytest.raises(AddressProblem) as refusal:
        normalize_address("аdmin@x.com")

    assert str(refusal.value) == "“а” (U+0430) only looks like “a”. Type the address again."


def test_one_mailbox_is_one_key_in_any_case():
    assert same_address_key("Anna@x.com") == same_address_key("ANNA@x.com")
    assert same_address_key("a+1@x.com") != same_address_key("a+2@x.com")
    assert same_address_key(normalize_address("a@münchen.de")) == same_address_key("a@xn--mnchen-3ya.de")


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("a@x.com", "a@x.com"),
        ("a@xn--mnchen-3ya.de", "a@münchen.de"),
        ("a@xn--e1afmkfd.xn--p1ai", "a@пример.рф"),
        ("a@xn--wgv71a.jp", "a@日本.jp"),
        ("a@xn--d1abbgf6aiiy.com", "a@xn--d1abbgf6aiiy.com"),
        ("a@xn--pple-43d.com", "a@xn--pple-43d.com"),
    ],
)
def test_a_domain_is_shown_as_written_unless_it_could_pass_for_another(kept, shown):
    assert display_address(kept) == shown


@pytest.mark.parametrize(
    ("text", "address", "first_name", "last_name"),
    [
        ("Anna Berg <a@x.com>", "a@x.com", "Anna", "Berg"),
        ('"Berg, Anna" <A@X.com>', "A@x.com", "Anna", "Berg"),
        ("“Berg, Anna” <a@x.com>", "a@x.com", "Anna", "Berg"),
        ("BERG Anna <a@x.com>", "a@x.com", "Anna", "BERG"),
        ("Berg Anna <anna.berg@x.com>", "anna.berg@x.com", "Anna", "Berg"),
        ("Ludwig van Beethoven <l@x.com>", "l@x.com", "Ludwig", "van Beethoven"),
        ("Anna <a@x.com>", "a@x.com", "Anna", ""),
        ("Support Team Lyon <a@x.com>", "a@x.com", "", ""),
        ("a@x.com (Anna Berg)", "a@x.com", "Anna", "Berg"),
        ("http://evil.example <a@x.com>", "a@x.com", "", ""),
        ("mailto:a@x.com?subject=hello", "a@x.com", "", ""),
        ("<a@x.com>", "a@x.com", "", ""),
        ("'a@x.com'", "a@x.com", "", ""),
        ("a@x.com.", "a@x.com", "", ""),
        ("o'brien@x.com", "o'brien@x.com", "", ""),
        ("Zoë Brontë <zoe.bronte@example.com>", "zoe.bronte@example.com", "Zoë", "Brontë"),
    ],
)
def test_a_mailbox_gives_its_address_and_a_name_that_is_clear(text, address, first_name, last_name):
    assert read_mailbox(text) == Mailbox(text, address, None, first_name, last_name)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", []),
        (" ,;\n\t ", []),
        ("a@x.com\nb@x.com\r\nc@x.com\rd@x.com", ["a@x.com", "b@x.com", "c@x.com", "d@x.com"]),
        ("a@x.com, b@x.com; c@x.com d@x.com\te@x.com", ["a@x.com", "b@x.com", "c@x.com", "d@x.com", "e@x.com"]),
        ("Berg Anna <a@x.com>; Olsson Lars <l@x.com>;", ["a@x.com", "l@x.com"]),
        ("Berg, Anna <a@x.com>; Olsson, Lars <l@x.com>", ["a@x.com", "l@x.com"]),
        ("z@x.com, Berg, Anna <a@x.com>, b@x.com", ["z@x.com", "a@x.com", "b@x.com"]),
        ('"Berg; Anna" <a@x.com>,"b@x.com"', ["a@x.com", "b@x.com"]),
        ("Anna <a@x.com> Lars <l@x.com>", ["a@x.com", "l@x.com"]),
        ("z@x.com Anna <a@x.com>", ["z@x.com", "a@x.com"]),
        ("a@x.com<mailto:a@x.com>", ["a@x.com"]),
        ("a@x.com a@x.com", ["a@x.com", "a@x.com"]),
        ("Anna\tBerg\ta@x.com\tVentes\nLars\tOlsson\tl@x.com", ["a@x.com", "l@x.com"]),
        ("anna.berg, l@x.com", ["", "l@x.com"]),
        ("Stockholm, l@x.com", ["", "l@x.com"]),
        ("l@x.com, Stockholm", ["l@x.com", ""]),
        ("l@x.com, Stockholm,", ["l@x.com", ""]),
        ("not an address\nl@x.com", ["", "l@x.com"]),
        ("anna @ x.com", [""]),
        ('"open a@x.com, b@x.com\nc@x.com', ["a@x.com", "b@x.com", "c@x.com"]),
    ],
)
def test_a_pasted_list_is_split_and_nothing_of_it_is_lost(text, addresses):
    assert [mailbox.address for mailbox in split_addresses(text)] == addresses


def test_a_name_beside_an_address_is_taken_from_a_spreadsheet():
    (mailbox,) = split_addresses("Anna\tBerg\ta@x.com\tVentes")

    assert (mailbox.first_name, mailbox.last_name) == ("Anna", "Berg")


def test_a_comma_inside_an_outlook_name_belongs_to_the_name():
    first, second = split_addresses("Berg, Anna <a@x.com>; Olsson, Lars <l@x.com>")

    assert (first.first_name, first.last_name) == ("Anna", "Berg")
    assert (second.first_name, second.last_name) == ("Lars", "Olsson")


def test_every_entry_that_is_no_address_says_why():
    first, second = split_addresses("lucas.garnier@architectes\nanna.berg")

    assert str(first.problem) == "Not a complete e-mail address: something like .example is missing."
    assert str(second.problem) == "Not an e-mail address: it has no @."


def test_ten_thousand_addresses_are_split_at_once():
    assert len(split_addresses(", ".join(f"Anna{n} Berg <a{n}@x.com>" for n in range(10_000)))) == 10_000


@given(st.text(alphabet=st.sampled_from("ab@x.,;<>\"' \n\t()éа\u200b%0[]:"), max_size=60))
def test_any_text_gives_an_address_or_a_reason(text):
    for mailbox in split_addresses(text):
        assert bool(mailbox.address) != bool(mailbox.problem)
        if mailbox.address:
            assert normalize_address(mailbox.address) == mailbox.address
            assert mailbox.address.isascii()
        else:
            assert str(mailbox.problem)


@given(st.text(max_size=80))
def test_an_accepted_address_is_ascii_short_and_stays_as_it_is(text):
    try:
        address = normalize_address(text)
    except AddressProblem as problem:
        assert problem.code in TEXTS
    else:
        assert address.isascii()
        assert len(address) <= 254
        assert normalize_address(address) == address
