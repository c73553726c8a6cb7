"""An address is confirmed by the button behind the link of a letter."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from members.models import AuditEntry, Letter
from members.tokens import address_token
from tests.factories import MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_opening_a_verification_link_changes_nothing_and_its_button_confirms(client):
    user = UserFactory(email_verified_at=None)
    path = reverse("accounts:verify_address", args=[address_token(user)])

    page = client.get(path)
    user.refresh_from_db()
    assert (page.status_code, user.email_verified_at) == (200, None)
    assert "Is this your address?" in page.text

    response = client.post(path, follow=True)

    user.refresh_from_db()
    assert user.email_verified_at is not None
    assert "Your address is confirmed." in response.text
    assert "This address is confirmed" in client.get(path).text


def test_confirming_the_address_of_an_administrator_lets_letters_leave(client):
    organization = OrganizationFactory(letters_released_at=None)
    plain = MemberFactory(organization=organization, user__email_verified_at=None)
    founder = MemberFactory(organization=organization, admin=True, user__email_verified_at=None)

    client.post(reverse("accounts:verify_address", args=[address_token(plain.user)]))
    organization.refresh_from_db()
    assert organization.letters_released_at is None

    client.post(reverse("accounts:verify_address", args=[address_token(founder.user)]))
    organization.refresh_from_db()
    assert organization.letters_released_at is not None
    [entry] = AuditEntry.objects.filter(action="organization.verified")
    assert entry.actor_user == founder.user


def test_a_stale_old_or_forged_verification_link_explains_itself(client, time_machine):
    user = UserFactory(email_verified_at=None)
    path = reverse("accounts:verify_address", args=[address_token(user)])
    forged = client.get(path.replace("verify/W", "verify/X"))
    assert forged.status_code == 410

    user.email = "elsewhere@a.example"
    user.save()
    assert client.post(path).status_code == 410

    path = reverse("accounts:verify_address", args=[address_token(user)])
    time_machine.move_to(timezone.now() + timedelta(days=14, minutes=1))
    response = client.post(path)
    assert response.status_code == 410
    assert "You can send a new one to yourself." in response.text
    user.refresh_from_db()
    assert user.email_verified_at is None


def test_the_verification_letter_can_be_sent_again_but_not_for_ever(client):
    user = UserFactory(email_verified_at=None)
    client.force_login(user)

    for _number in range(5):
        response = client.post("/accounts/verify/", {"next": "/me/settings/"}, follow=True)
        assert "A letter is on its way" in response.text
    response = client.post("/accounts/verify/", {"next": "/me/settings/"}, follow=True)

    assert "That was tried too often." in response.text
    assert Letter.objects.filter(kind=Letter.Kind.ADDRESS_VERIFICATION).count() == 5
