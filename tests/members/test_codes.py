import base64
import re

import pytest
import time_machine

from members.codes import (
    app_url,
    code_of,
    find_period,
    new_recovery_codes,
    new_secret,
    normalize_code,
    picture_of,
    recovery_digest,
    recovery_digests,
)
from tests.factories import SECRET

# RFC 6238, appendix B, SHA-1: the last six of its eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds, code):
    assert code_of(base64.b32encode(b"12345678901234567890").decode(), seconds // 30) == code


@pytest.mark.parametrize(("late", "found"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_a_period_early_and_a_period_late(late, found):
    with time_machine.travel(1_800_000_000, tick=False):
        period = 1_800_000_000 // 30 + late
        assert find_period(SECRET, code_of(SECRET, period)) == (period if found else None)


@pytest.mark.parametrize(
    "typed",
    [
        "123456",
        " 123 456 ",
        "123-456",
        "١٢٣٤٥٦",
        "１２３４５６",
        "१२३४५६",
        "123\u00a0456",
        "12\u202f34\u202f56",
        "۱۲۳۴۵۶",
    ],
)
def test_digits_of_any_script_spaces_and_hyphens_are_understood(typed):
    assert normalize_code(typed) == "123456"


@pytest.mark.parametrize("code", ["", "12345", "1234567", "0123456", "12345x", "²³⁴⁵⁶⁷", "Ⅻ12345", "-", "null"])
def test_what_is_not_six_digits_is_no_code(code):
    with time_machine.travel(1_800_000_000, tick=False):
        right = code_of(SECRET, 60_000_000)
        assert find_period(SECRET, normalize_code(code)) is None
        assert find_period(SECRET, normalize_code(f"{right}0")) is None
        assert find_period(SECRET, normalize_code(f"0{right}")) is None


def test_secrets_and_recovery_codes_are_made_by_chance():
    assert len(base64.b32decode(new_secret())) == 20
    assert new_secret() != new_secret()
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){2}", code) for code in codes)


def test_a_recovery_code_is_known_however_it_is_typed_and_by_an_earlier_key(settings):
    digest = recovery_digest("abcd-efgh-2345")
    assert "abcd" not in digest
    assert {recovery_digest(text) for text in ("ABCD EFGH 2345", "abcdefgh2345", " abcd–efgh–2345")} == {digest}

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert digest in recovery_digests("abcd-efgh-2345")
    assert recovery_digest("abcd-efgh-2345") != digest


def test_the_picture_holds_what_an_app_reads():
    url = app_url("ABC", account="hanna.berg")

    assert url == "otpauth://totp/Skype%20Manager%3Ahanna.berg?secret=ABC&issuer=Skype%20Manager"
    size, path = picture_of(url)
    assert size > 30
    assert re.fullmatch(r"(M\d+ \d+h1v1h-1z)+", path)
