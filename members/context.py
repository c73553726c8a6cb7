from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from members.access import Actor
from members.gateways.mail import keeps_letters
from members.help_articles import Article, articles_about
from members.models import AuditEntry, Member, Organization
from members.registry import NavigationEntry, OperatorPage, registry


def organization_frame(request: HttpRequest) -> dict[str, Any]:
    """What the frame around a page of an organization shows: its sections, and the person's organizations."""
    organization: Organization | None = getattr(request, "organization", None)
    actor: Actor | None = getattr(request, "actor", None)
    context: dict[str, Any] = {
        "organizations": _lazy(lambda: _organizations(request)),
        "keeps_letters": settings.LOCAL and keeps_letters(),
        "page_help": _lazy(lambda: _articles(request)),
    }
    if actor is not None and actor.kind == AuditEntry.ActorKind.OPERATOR:
        context["operator_pages"] = _lazy(_operator_pages)
    if organization is not None and actor is not None:
        context["navigation"] = _lazy(lambda: _navigation(organization, actor))
    return context


def _lazy(make: Callable[[], Any]) -> Any:
    return SimpleLazyObject(make)


def _operator_pages() -> list[dict[str, Any]]:
    pages = registry.all(OperatorPage)
    return [{"key": page.key, "label": page.label, "url": reverse(page.url_name)} for page in pages]


def _articles(request: HttpRequest) -> list[Article]:
    return articles_about(request.resolver_match.view_name) if request.resolver_match else []


def _organizations(request: HttpRequest) -> list[Organization]:
    if not request.user.is_authenticated:
        return []
    # A person is a member of an organization once, so that the join shows none twice.
    own = Organization.objects.filter(members__user=request.user, members__state=Member.State.ACTIVE, closed_at=None)
    return list(own.only("name", "slug").order_by("name")[:20])


# Every page asks for all of them; they are the same as long as the process lives.
@lru_cache(maxsize=10_000)
def _section_url(url_name: str, slug: str) -> str:
    return reverse(url_name, args=[slug])


def _navigation(organization: Organization, actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "key": entry.key,
            "label": entry.label,
            "icon": entry.icon,
            "url": _section_url(entry.url_name, organization.slug),
            "children": [
                {"key": key, "label": label, "url": _section_url(url_name, organization.slug)}
                for key, label, url_name, capability in entry.children
                if actor.can(capability)
            ],
        }
        for entry in registry.all(NavigationEntry)
        if actor.can(entry.capability) and entry.visible(organization)
    ]
