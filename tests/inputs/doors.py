"""The doors through which a value of a field comes in: forms, commands, cells of files, lists of people.

A door takes a value and says what came of it. Everything it did is undone afterwards, so that the next value finds
the same world.
"""

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import quote
from uuid import uuid4

from django.core.management import CommandError, call_command
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpResponse
from django.test import Client
from django.utils import translation
from django.utils.html import escape

from members.models import AuditEntry, Batch, BatchRow, Department, HelpFeedback, Invitation, Member, Organization, User
from members.tokens import invitation_token
from skypemgr.problems import Problem
from tests.factories import PASSWORD, DepartmentFactory, InvitationFactory, MemberFactory

# Processor time in seconds: whoever needs more takes longer the more there is, by far. Machines differ by less.
LONGEST_WAIT = 5.0
NEW_PASSWORD = "four gray geese were there"
LANGUAGE = "fr"


@dataclass(frozen=True)
class Answer:
    """What came of a value: the text that is ``stored`` now, or the ``code`` of the refusal."""

    stored: str | None = None
    code: str = ""


@dataclass
class World:
    """An organization, its administrator, who is signed in and reads French, and people in each state."""

    client: Client
    visitor: Client
    organization: Organization
    admin: Member
    invited: Member
    department: Department

    @classmethod
    def make(cls) -> "World":
        admin = MemberFactory(
            admin=True,
            personal=True,
            organization__slug="architectes",
            user__language=LANGUAGE,
            user__skype_name="boss.one",
        )
        organization = admin.organization
        invitation = InvitationFactory(
            member__organization=organization, member__user__language=LANGUAGE, member__user__skype_name="new.one"
        )
        client, visitor = Client(raise_request_exception=False), Client(raise_request_exception=False)
        client.force_login(admin.user)
        visitor.cookies["language"] = LANGUAGE
        return cls(
            client=client,
            visitor=visitor,
            organization=organization,
            admin=admin,
            invited=invitation.member,
            department=DepartmentFactory(organization=organization, name="Sales", path="Sales", sort_key="sales"),
        )

    def url(self, rest: str) -> str:
        return f"/{self.organization.slug}/{rest}"


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside did not happen. A savepoint by hand: a service wants to begin its own transaction."""
    here = transaction.savepoint_create()
    try:
        yield
    finally:
        transaction.savepoint_rollback(here)


def post(client: Client, url: str, **data: str) -> HttpResponse:
    """Send a form as a browser does, what is no Unicode too. It must be answered soon, and without a fault."""
    body = "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'), safe='')}" for name, value in data.items())
    began = time.thread_time()
    response = client.post(url, body.encode(), content_type="application/x-www-form-urlencoded")
    took = time.thread_time() - began
    assert took < LONGEST_WAIT, f"{url} took {took:.1f} s"
    assert response.status_code < 500, f"{url} answered {response.status_code}"
    return response


def refusal(response: HttpResponse, field: str, value: str) -> Answer:
    """The code of the refusal beside ``field``, on a page that keeps what was typed and shows it as text."""
    assert response.status_code == 422, f"answered {response.status_code}"
    page = response.content.decode()
    assert f'<html lang="{LANGUAGE}"' in page
    bound = _bound_form(response)[field]
    errors = bound.errors.as_data()
    assert errors, f"the refusal is not beside {field}: {bound.form.errors!r}"
    control = re.search(rf'<(?:input|textarea|select)\b[^>]*\bid="{bound.auto_id}"[^>]*>', page)
    assert control is not None
    described = re.search(r'aria-describedby="([^"]*)"', control[0])
    assert described is not None
    assert f"{bound.auto_id}_error" in described[1].split()
    [said] = re.findall(rf'<div id="{bound.auto_id}_error">(.*?)</div>', page, re.DOTALL)
    with translation.override(LANGUAGE):
        for error in errors:
            assert escape(error.messages[0]) in said
    if "\ud800" <= max(value, default="") <= "\udfff" or getattr(bound.field.widget, "input_type", "") == "password":
        return Answer(code=errors[0].code or "refused")
    shown = value.encode("utf-8", "replace").decode()
    assert str(escape(shown)) in page.replace("\r\n", "\n") or str(escape(shown)) in page
    if "<" in shown:
        assert shown not in page
    return Answer(code=errors[0].code or "refused")


def _bound_form(response: HttpResponse) -> BaseForm:
    context = response.context  # type: ignore[attr-defined]
    forms = (value for layer in context for some in layer for value in some.values())
    return next(form for form in forms if isinstance(form, BaseForm) and form.is_bound)


type Door = Callable[[World, str], Answer]

FORMS: dict[str, dict[str, Door]] = {}
COMMANDS: dict[str, dict[str, Door]] = {}
# Doors that can't do without a value.
REQUIRED: set[Door] = set()


def form(*fields: str, required: bool = False) -> Callable[[Door], Door]:
    return _register(FORMS, fields, required)


def command(*fields: str, required: bool = False) -> Callable[[Door], Door]:
    return _register(COMMANDS, fields, required)


def _register(doors: dict[str, dict[str, Door]], fields: tuple[str, ...], required: bool) -> Callable[[Door], Door]:
    def register(door: Door) -> Door:
        for field in fields:
            doors.setdefault(field, {})[door.__name__] = door
        if required:
            REQUIRED.add(door)
        return door

    return register


# Set-up: three pages, the last of which stores

COMPANY = {"name": "Berg", "slug": "", "country": "SE", "time_zone": "", "currency": "SEK", "language": "sv"}
FOUNDER = {
    "skype_name": "berg.admin",
    "email": "founder@berg.example",
    "first_name": "",
    "last_name": "",
    "password": NEW_PASSWORD,
}


def _set_up(world: World, *, step: str, field: str, value: str) -> Member | Answer:
    client = Client(raise_request_exception=False)
    client.cookies["language"] = LANGUAGE
    pages = {"/setup/": dict(COMPANY), "/setup/account/": dict(FOUNDER)}
    pages[step][field] = value
    for url, data in pages.items():
        response = post(client, url, **data)
        if response.status_code != 302:
            return refusal(response, field, value)
    response = post(client, "/setup/check/", key=str(uuid4()))
    if response.status_code != 302:
        [error] = _bound_form(response).errors.as_data()["__all__"]
        return Answer(code=_code_of(error.messages[0]))
    return Member.objects.select_related("user", "organization").latest("pk")


def _code_of(message: str) -> str:
    # The last page has no such field; which rule it was, its sentence says.
    return "slug_reserved" if "pages de ce site" in message else "slug_taken"


@form("company", required=True)
def setup_company(world: World, value: str) -> Answer:
    made = _set_up(world, step="/setup/", field="name", value=value)
    return made if isinstance(made, Answer) else Answer(made.organization.name)


@form("slug")
def setup_slug(world: World, value: str) -> Answer:
    made = _set_up(world, step="/setup/", field="slug", value=value)
    return made if isinstance(made, Answer) else Answer(made.organization.slug)


@form("name")
def setup_founder_name(world: World, value: str) -> Answer:
    made = _set_up(world, step="/setup/account/", field="first_name", value=value)
    return made if isinstance(made, Answer) else Answer(made.user.first_name)


@form("address", required=True)
def setup_founder_address(world: World, value: str) -> Answer:
    made = _set_up(world, step="/setup/account/", field="email", value=value)
    return made if isinstance(made, Answer) else Answer(made.email)


@form("skype_name", required=True)
def setup_founder_skype_name(world: World, value: str) -> Answer:
    made = _set_up(world, step="/setup/account/", field="skype_name", value=value)
    return made if isinstance(made, Answer) else Answer(made.user.skype_name)


# Joining


@form("name", required=True)
def join_business(world: World, value: str) -> Answer:
    token = invitation_token(world.invited.invitations.get())
    response = post(world.visitor, f"/join/{token}/accept/", first_name=value, last_name="", password=NEW_PASSWORD)
    world.visitor.logout()
    world.visitor.cookies["language"] = LANGUAGE
    if response.status_code != 302:
        return refusal(response, "first_name", value)
    return Answer(User.objects.get(pk=world.invited.user_id).first_name)


def _join_personal(world: World, **changed: str) -> HttpResponse:
    invitation = Invitation.objects.create(
        organization=world.organization,
        kind="personal",
        email="somebody@people.example",
        expires_at=world.invited.invitations.get().expires_at,
    )
    data = {"skype_name": "somebody.new", "first_name": "Anna", "last_name": "", "password": NEW_PASSWORD, **changed}
    client = Client(raise_request_exception=False)
    client.cookies["language"] = LANGUAGE
    return post(client, f"/join/{invitation_token(invitation)}/accept/", **data)


@form("name")
def join_personal_last_name(world: World, value: str) -> Answer:
    response = _join_personal(world, last_name=value)
    if response.status_code != 302:
        return refusal(response, "last_name", value)
    return Answer(User.objects.get(skype_name="somebody.new").last_name)


@form("skype_name", required=True)
def join_personal_skype_name(world: World, value: str) -> Answer:
    response = _join_personal(world, skype_name=value)
    if response.status_code != 302:
        return refusal(response, "skype_name", value)
    return Answer(User.objects.latest("pk").skype_name)


# Pages behind sign-in


@form("name")
def my_settings(world: World, value: str) -> Answer:
    response = post(world.client, "/me/settings/", first_name="", last_name=value, language=LANGUAGE)
    if response.status_code != 302:
        return refusal(response, "last_name", value)
    return Answer(User.objects.get(pk=world.admin.user_id).last_name)


@form("name", required=True)
def first_password(world: World, value: str) -> Answer:
    client = Client(raise_request_exception=False)
    client.force_login(world.admin.user)
    User.objects.filter(pk=world.admin.user_id).update(must_change_password=True)
    response = post(client, "/accounts/first-password/", first_name=value, last_name="", password=NEW_PASSWORD)
    if response.status_code != 302:
        return refusal(response, "first_name", value)
    return Answer(User.objects.get(pk=world.admin.user_id).first_name)


@form("name")
def member_profile(world: World, value: str) -> Answer:
    url = world.url("members/@new.one/")
    response = post(world.client, url, first_name=value, last_name="", department="none")
    if response.status_code != 302:
        return refusal(response, "first_name", value)
    return Answer(User.objects.get(pk=world.invited.user_id).first_name)


@form("address", required=True)
def my_address(world: World, value: str) -> Answer:
    data = {"address-email": value, "address-password": PASSWORD}
    response = post(world.client, "/me/settings/address/", **data)
    if response.status_code != 302:
        return refusal(response, "email", value)
    return Answer(User.objects.get(pk=world.admin.user_id).email)


def _change_profile(world: World, member: Member, field: str, value: str) -> Answer | Member:
    data = {"email": member.email, "first_name": "", "last_name": "", "department": "none", field: value}
    response = post(world.client, world.url(f"members/@{member.user.skype_name}/"), **data)
    if response.status_code != 302:
        return refusal(response, field, value)
    return Member.objects.select_related("user").get(pk=member.pk)


@form("name")
def job_title(world: World, value: str) -> Answer:
    changed = _change_profile(world, world.invited, "job_title", value)
    return changed if isinstance(changed, Answer) else Answer(changed.job_title)


@form("address", required=True)
def member_address(world: World, value: str) -> Answer:
    changed = _change_profile(world, MemberFactory(organization=world.organization), "email", value)
    return changed if isinstance(changed, Answer) else Answer(changed.user.email)


@form("address", required=True)
def invited_address(world: World, value: str) -> Answer:
    response = post(world.client, world.url("members/@new.one/address/"), email=value)
    if response.status_code != 302:
        return refusal(response, "email", value)
    return Answer(Member.objects.get(pk=world.invited.pk).email)


@form("company", required=True)
def organization_settings(world: World, value: str) -> Answer:
    data = {"name": value, "time_zone": "Europe/Paris", "language": "en"}
    response = post(world.client, world.url("settings/"), **data)
    if response.status_code != 302:
        return refusal(response, "name", value)
    return Answer(Organization.objects.get(pk=world.organization.pk).name)


@form("department", required=True)
def department_add(world: World, value: str) -> Answer:
    response = post(world.client, world.url("members/departments/add/"), name=value, parent="none")
    if response.status_code != 302:
        return refusal(response, "name", value)
    return Answer(Department.objects.latest("pk").name)


@form("department", required=True)
def new_department_of_a_profile(world: World, value: str) -> Answer:
    data = {"email": "", "first_name": "", "last_name": "", "department": "new", "new_name": value}
    response = post(world.client, world.url("members/@new.one/"), **data)
    if response.status_code != 302:
        return refusal(response, "new_name", value)
    return Answer(Department.objects.latest("pk").name)


@form("department", required=True)
def department_change(world: World, value: str) -> Answer:
    url = world.url(f"members/departments/{world.department.pk}/change/")
    response = post(world.client, url, name=value, parent="none")
    if response.status_code != 302:
        return refusal(response, "name", value)
    return Answer(Department.objects.get(pk=world.department.pk).name)


@form("reason")
def block(world: World, value: str) -> Answer:
    member = MemberFactory(organization=world.organization)
    response = post(world.client, world.url(f"members/@{member.user.skype_name}/block/"), reason=value)
    if response.status_code != 302:
        return refusal(response, "reason", value)
    return Answer(AuditEntry.objects.latest("pk").reason)


@form("comment")
def help_feedback(world: World, value: str) -> Answer:
    response = post(world.visitor, "/help/allocate-credit/", useful="no", comment=value, key=str(uuid4()))
    if response.status_code != 302:
        return refusal(response, "comment", value)
    return Answer(HelpFeedback.objects.latest("pk").comment)


# A row under review


def _row_edit(world: World, field: str, value: str, stored: Callable[[Member], str]) -> Answer:
    response = post(world.client, world.url("members/add/"), addresses="row@people.example", key=str(uuid4()))
    batch = Batch.objects.latest("pk")
    data = {"email": "row@people.example", "first_name": "", "last_name": "", "department": "", "skype_name": ""}
    response = post(world.client, world.url(f"members/imports/{batch.pk}/rows/1/"), **{**data, field: value})
    if response.status_code != 302:
        return refusal(response, field, value)
    row = batch.rows.get()
    if row.outcome == BatchRow.Outcome.PROBLEM:
        page = world.client.get(world.url(f"members/imports/{batch.pk}/"))
        assert page.status_code == 200
        if "<" in value:
            assert value not in page.content.decode()
        return Answer(code=row.problems[0]["code"])
    post(world.client, world.url(f"members/imports/{batch.pk}/create/"))
    member = batch.rows.select_related("member__user", "member__department").get().member
    assert member is not None
    return Answer(stored(member))


@form("name")
def row_name(world: World, value: str) -> Answer:
    return _row_edit(world, "last_name", value, lambda member: member.user.last_name)


@form("department", "department_path")
def row_department(world: World, value: str) -> Answer:
    return _row_edit(world, "department", value, lambda member: member.department.path if member.department else "")


@form("skype_name")
def row_skype_name(world: World, value: str) -> Answer:
    return _row_edit(world, "skype_name", value, lambda member: member.user.skype_name)


# Commands


def run(name: str, *words: str) -> Any:
    """The result of a command; the code of its refusal as an Answer. Nothing that acts on a terminal is printed."""
    out, err = io.StringIO(), io.StringIO()
    began = time.thread_time()
    try:
        call_command(name, "--json", *words, stdout=out, stderr=err)
    except CommandError as refused:
        assert all(map(str.isprintable, str(refused).split("\n"))), ascii(str(refused))
        cause = refused.__cause__
        code = cause.code if isinstance(cause, Problem) else type(cause).__name__ if cause else "refused"
        return Answer(code={"SlugTaken": "slug_taken", "SlugReserved": "slug_reserved"}.get(code, code))
    finally:
        assert time.thread_time() - began < LONGEST_WAIT
    out.getvalue().encode()
    return json.loads(out.getvalue())


def _create_organization(**changed: str) -> Member | Answer:
    facts = {
        "name": "Berg",
        "slug": "berg",
        "admin_email": "founder@berg.example",
        "admin_skype_name": "berg.admin",
        "admin_first_name": "",
    } | changed
    name = facts.pop("name")
    words = [f"--{word.replace('_', '-')}={value}" for word, value in facts.items()]
    result = run("create_organization", "--country=SE", *words, "--", name)
    if isinstance(result, Answer):
        return result
    return Member.objects.select_related("user", "organization").latest("pk")


@command("company", required=True)
def create_organization_name(world: World, value: str) -> Answer:
    made = _create_organization(name=value)
    return made if isinstance(made, Answer) else Answer(made.organization.name)


@command("slug")
def create_organization_slug(world: World, value: str) -> Answer:
    made = _create_organization(slug=value)
    return made if isinstance(made, Answer) else Answer(made.organization.slug)


@command("address", required=True)
def create_organization_address(world: World, value: str) -> Answer:
    made = _create_organization(admin_email=value)
    return made if isinstance(made, Answer) else Answer(made.email)


@command("name")
def create_organization_first_name(world: World, value: str) -> Answer:
    made = _create_organization(admin_first_name=value)
    return made if isinstance(made, Answer) else Answer(made.user.first_name)


@command("skype_name")
def create_organization_skype_name(world: World, value: str) -> Answer:
    made = _create_organization(admin_skype_name=value)
    return made if isinstance(made, Answer) else Answer(made.user.skype_name)


@command("name")
def create_operator_name(world: World, value: str) -> Answer:
    words = ["--email=ops@people.example", f"--last-name={value}", "--password-stdin", "ops.person"]
    with patch.object(sys, "stdin", io.StringIO(NEW_PASSWORD + "\n")):
        result = run("create_operator", *words)
    return result if isinstance(result, Answer) else Answer(User.objects.get(skype_name="ops.person").last_name)
