"""What several tests of signing in do."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from members.codes import code_of, period_now
from members.models import User
from members.sessions import PROVED
from tests.factories import PASSWORD, SECRET

SIGN_IN = "/accounts/sign-in/"
SECOND_STEP = "/accounts/second-step/"
CONFIRM = "/accounts/confirm/"
SECURITY = "/me/security/"
APP = "/me/security/app/"


def sign_in(client: Client, user: User, password: str = PASSWORD, **facts: Any) -> HttpResponse:
    return client.post(SIGN_IN, {"login": user.skype_name, "password": password, **facts})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code(late: int = 0) -> str:
    """What the app of AuthenticatorAppFactory shows now, or some periods later."""
    return code_of(SECRET, period_now() + late)


def reset_path(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("accounts:reset_password", args=[uid, default_token_generator.make_token(user)])


def forget_proof(client: Client, minutes: int = 16) -> None:
    """As if the last proof of who somebody is were so old."""
    session = client.session
    session[PROVED] = (timezone.now() - timedelta(minutes=minutes)).timestamp()
    session.save()


def shown_codes(response: HttpResponse) -> list[str]:
    """The recovery codes on a page."""
    return re.findall(r"<li><code>([\w-]+)</code>", response.text)


def set_up_app(client: Client) -> tuple[str, HttpResponse]:
    """The secret that the page shows, and the answer to the code made of it."""
    page = client.get(APP)
    [secret] = re.findall(r'id="secret"[^>]*>([A-Z2-7 ]+)<', page.text)
    [draft] = re.findall(r'name="draft" value="([^"]+)"', page.text)
    secret = secret.replace(" ", "")
    return secret, client.post(APP, {"draft": draft, "code": code_of(secret, period_now())})
