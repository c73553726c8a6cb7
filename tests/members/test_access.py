"""Ids that nothing has, and what each role can do. Who may open which page is in ``tests/matrix``."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.exceptions import NoReverseMatch

from members.access import ORGANIZATION_CAPABILITIES, ROLES, Actor, Capability, require, require_over
from members.models import Member
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, UserFactory

Role, State = Member.Role, Member.State


def organization_views(patterns=None, namespace=""):
    """Every URL inside an organization: its name, the parameters it takes besides the organization, its view."""
    for pattern in patterns or get_resolver().url_patterns:
        if hasattr(pattern, "url_patterns"):
            name = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from organization_views(pattern.url_patterns, name)
        elif getattr(pattern.callback, "access", None) in set(Capability):
            yield f"{namespace}{pattern.name}", list(pattern.pattern.converters), pattern.callback


VIEWS = sorted(organization_views(), key=lambda view: view[0])
WITH_OBJECTS = [pytest.param(name, parameters, id=name) for name, parameters, _view in VIEWS if parameters]


@pytest.fixture
def acme(db):
    organization = OrganizationFactory(slug="acme")
    # Voice is there only for who has a license of it.
    LicenseFactory(organization=organization)
    return organization


def address(name, parameters, values, slug="acme"):
    kind = next((kind for kind in ("invitation", "department") if kind in name), "batch")
    own = {key: values[kind] if key == "pk" else values[key] for key in parameters if key != "org_slug"}
    return reverse(name, kwargs={"org_slug": slug, **own})


def status(client, url):
    """The answers to every way to ask; a page that does not take one of them may say so."""
    return {client.get(url).status_code, client.head(url).status_code, client.post(url).status_code} - {405}


def signed_in(member):
    client = Client()
    client.force_login(member.user)
    return client


def test_there_are_pages_to_test():
    assert len(VIEWS) > 25


@pytest.mark.parametrize(("name", "parameters"), WITH_OBJECTS)
def test_an_id_that_nothing_has_is_not_found(acme, name, parameters):
    boss = signed_in(MemberFactory(organization=acme, admin=True))

    for pk in (0, 10**18, 10**19 - 1, 10**25):
        values = dict.fromkeys(
            ("number", "invitation", "department", "batch", "key", "digits", "country", "place_pk"), pk
        ) | {"skype_name": f"nobody-{pk}", "code": f"nothing-{pk}", "day": date(2001, 1, 1)}
        assert status(boss, address(name, parameters, values)) == {404}


@pytest.mark.parametrize("pk", ["-1", "1.0", "1e3", "0x1"])
def test_what_is_no_id_is_in_no_address(pk):
    for name, parameters, _view in VIEWS:
        values = dict.fromkeys(parameters, pk) | {"org_slug": "acme"}
        # Orders and invoices have numbers such as O-2026-000001.
        if {"pk", "number"} & values.keys() and not name.startswith(("credit:order", "credit:invoice")):
            with pytest.raises(NoReverseMatch):
                reverse(name, kwargs=values)


# Roles


def test_every_role_is_a_set_of_capabilities_inside_the_organization():
    assert set(ROLES) == set(Role)
    for capabilities in ROLES.values():
        assert capabilities <= ORGANIZATION_CAPABILITIES
    assert ROLES[Role.ADMINISTRATOR] == ORGANIZATION_CAPABILITIES
    assert ROLES[Role.MEMBER] == frozenset()
    assert Capability.RUN_INSTALLATION not in ORGANIZATION_CAPABILITIES


def test_only_administrators_assign_roles_and_see_the_log():
    for capability in (Capability.ASSIGN_ROLES, Capability.VIEW_AUDIT, Capability.MANAGE_ORGANIZATION):
        assert [role for role in Role if capability in ROLES[role]] == [Role.ADMINISTRATOR]


@pytest.mark.parametrize("state", [State.INVITED, State.BLOCKED, State.LEFT])
def test_who_is_not_active_can_do_nothing(acme, state):
    member = MemberFactory(organization=acme, admin=True, state=state)

    assert Actor.of_member(member).capabilities == frozenset()


def test_a_capability_holds_in_one_s_own_organization_only(acme):
    boss = Actor.of_member(MemberFactory(organization=acme, admin=True))

    require(boss, acme, Capability.MANAGE_MEMBERS)
    with pytest.raises(PermissionDenied):
        require(boss, OrganizationFactory(), Capability.MANAGE_MEMBERS)
    with pytest.raises(PermissionDenied):
        require(boss, acme, Capability.RUN_INSTALLATION)
    with pytest.raises(PermissionDenied):
        require(Actor.of_person(UserFactory()), acme, Capability.VIEW_MEMBERS)


def test_operators_and_the_system_act_everywhere(acme):
    for actor in (Actor.system(), Actor.operator(UserFactory(is_operator=True))):
        assert actor.capabilities == frozenset(Capability)
        # Neither refuses.
        require(actor, acme, Capability.MANAGE_MEMBERS)
        require_over(actor, MemberFactory(organization=acme, admin=True))


@pytest.mark.parametrize(
    ("role", "over"),
    [
        (Role.ADMINISTRATOR, set(Role)),
        (Role.MEMBERS_MANAGER, {Role.MEMBERS_MANAGER, Role.MEMBER}),
        (Role.CREDIT_MANAGER, {Role.CREDIT_MANAGER, Role.REPORTS_VIEWER, Role.MEMBER}),
        (Role.REPORTS_VIEWER, {Role.REPORTS_VIEWER, Role.MEMBER}),
        (Role.MEMBER, {Role.MEMBER}),
    ],
)
def test_nobody_rules_over_a_role_that_can_do_more(acme, role, over):
    actor = Actor.of_member(MemberFactory(organization=acme, role=role))
    ruled = set()
    for other in Role:
        try:
            require_over(actor, MemberFactory(organization=acme, role=other))
        except PermissionDenied:
            continue
        ruled.add(other)

    assert ruled == over
