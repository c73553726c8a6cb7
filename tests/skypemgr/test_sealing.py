import pytest
import time_machine
from django.utils import timezone

from skypemgr.sealing import Unsealable, seal, unseal


def test_what_is_sealed_can_be_read_and_is_not_to_be_seen():
    sealed = seal("the secret", purpose="tests")

    assert "secret" not in sealed
    assert unseal(sealed, purpose="tests") == "the secret"
    assert seal("the secret", purpose="tests") != sealed


def test_another_purpose_another_key_and_a_changed_letter_open_nothing(settings):
    sealed = seal("the secret", purpose="tests")

    for wrong in (sealed[:-6] + "AAAA==", "", "x", "é"):
        with pytest.raises(Unsealable):
            unseal(wrong, purpose="tests")
    with pytest.raises(Unsealable):
        unseal(sealed, purpose="others")
    settings.SECRET_KEY = "another"
    with pytest.raises(Unsealable):
        unseal(sealed, purpose="tests")


def test_an_earlier_secret_key_still_opens_what_it_sealed(settings):
    sealed = seal("the secret", purpose="tests")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert unseal(sealed, purpose="tests") == "the secret"
    assert unseal(seal("new", purpose="tests"), purpose="tests") == "new"


def test_what_is_too_old_is_not_opened():
    sealed = seal("the secret", purpose="tests")

    with time_machine.travel(timezone.now() + timezone.timedelta(seconds=61)):
        assert unseal(sealed, purpose="tests") == "the secret"
        with pytest.raises(Unsealable):
            unseal(sealed, purpose="tests", max_age=60)
