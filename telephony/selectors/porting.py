"""Port orders: those of an organization, and those that wait for whoever runs the installation."""

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils.translation import ngettext_lazy

from members.models import Organization
from skypemgr.lists import Ordering, Page, count_up_to, keyset_page, read_choice, read_text
from telephony.models import PortOrder

NEWEST = Ordering("newest", ("-made_at", "-id"))
OLDEST = Ordering("oldest", ("made_at", "id"))
State = PortOrder.State
LAMPS = {
    State.PROCESSING: "waiting",
    State.CONTACTING: "waiting",
    State.APPROVED: "info",
    State.REJECTED: "danger",
    State.COMPLETED: "success",
    State.CANCELED: "off",
}


def page_of_orders(organization: Organization, query: QueryDict) -> Page[PortOrder]:
    """The orders of an organization, the newest first; with how many numbers each has."""
    orders = PortOrder.objects.filter(organization=organization).annotate(size=Count("numbers"))
    if state := read_choice(query, "state", State.values):
        orders = orders.filter(state=state)
    total = count_up_to(orders)
    text = ngettext_lazy("{shown} of {total} order", "{shown} of {total} orders")
    return keyset_page(orders, order=NEWEST, query=query, text=text % total.number, total=total)


def page_of_open_orders(query: QueryDict) -> Page[PortOrder]:
    """The open orders of every organization, those that wait longest first, or what a search finds of all."""
    orders = PortOrder.objects.select_related("organization").annotate(size=Count("numbers"))
    if search := read_text(query):
        orders = orders.filter(Q(organization__name__icontains=search) | Q(name__icontains=search))
    else:
        orders = orders.filter(state__in=PortOrder.OPEN)
    total = count_up_to(orders)
    text = ngettext_lazy("{shown} of {total} order", "{shown} of {total} orders")
    return keyset_page(orders, order=OLDEST, query=query, text=text % total.number, total=total)
