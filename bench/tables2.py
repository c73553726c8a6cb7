"""Our list of members against the same fifty rows shown by django-tables2, in the same frame for the same person."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import django_tables2 as tables
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.urls import include, path

from bench.measure import Figure
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.models import Member, Organization
from members.selectors.members import for_list

ROUNDS = 9
REPEATED = 3
PAGE = "{% extends 'base.html' %}{% block title %}Members{% endblock %}{% block main %}{{ table }}{% endblock %}"


class MembersTable(tables.Table):
    """The columns of our list."""

    select = tables.CheckBoxColumn(accessor="pk")
    name = tables.Column(accessor="user__display_name", linkify=lambda record: f"@{record.user.skype_name}/")
    skype_name = tables.Column(accessor="user__skype_name")
    department = tables.Column(accessor="department__path")
    role = tables.Column(accessor="get_role_display")
    state = tables.Column(accessor="get_state_display")
    kind = tables.Column(accessor="user__get_kind_display")
    balance = tables.Column(accessor="pk")
    actions = tables.TemplateColumn(
        "<a href='@{{ record.user.skype_name }}/'>Profile</a> <a href='@{{ record.user.skype_name }}/block/'>Block</a>",
        orderable=False,
    )


@organization_view(Capability.VIEW_MEMBERS)
def member_table(request: OrganizationRequest) -> HttpResponse:
    members = for_list(Member.objects.of(request.organization).present()).order_by("sort_key", "pk")
    table = MembersTable(list(members[:50]))
    template = engines["django"].from_string(PAGE)
    return HttpResponse(
        template.render({"table": table.as_html(request), "section": "members", "subsection": "list"}, request)
    )


urlpatterns = [path("<slug:org_slug>/tables2/", member_table), path("", include("skypemgr.urls"))]


def compare(organization: Organization, client: Client) -> Iterator[Figure]:
    """How many times as many pages a second our list serves: processor time in one process, request by request."""
    handler = WSGIHandler()
    handler.load_middleware()
    cookies = client.cookies.output(header="", sep=";").strip()

    def seconds(url: str) -> float:
        begun = time.process_time()
        for _repetition in range(REPEATED):
            response = handler.get_response(RequestFactory().get(url, headers={"cookie": cookies}))
            assert response.status_code == 200
        return time.process_time() - begun

    _install()
    with override_settings(ROOT_URLCONF=__name__):
        ours, theirs = f"/{organization.slug}/members/", f"/{organization.slug}/tables2/"
        seconds(ours), seconds(theirs)
        ratios = [seconds(theirs) / seconds(ours) for _round in range(ROUNDS)]
    yield Figure(name="pages a second, django-tables2 = 1", value=statistics.median(ratios), least=2.5)


def _install() -> None:
    """Let the templates of django-tables2 be found, without starting our apps a second time."""
    engine = engines["django"].engine
    engine.dirs.append(Path(tables.__file__).parent / "templates")
    engine.template_libraries |= engine.get_template_libraries(
        {"django_tables2": "django_tables2.templatetags.django_tables2"}
    )
    engine.template_loaders = engine.get_template_loaders(engine.loaders)
