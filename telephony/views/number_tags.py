"""A tag for many numbers: given to those that were ticked, or taken from them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from members.access import Capability
from members.decorators import OrganizationRequest
from skypemgr.forms import form_errors
from skypemgr.templatetags.look import count
from telephony.decorators import voice_view
from telephony.forms.numbers import TagManyForm
from telephony.models import PhoneNumber
from telephony.phone_numbers import shown_number
from telephony.selectors.numbers import tags_of
from telephony.services.numbers import MOST_TAGGED, tag_numbers, untag_numbers
from telephony.views.numbers import HERE, SHOWN, chosen_numbers


@voice_view(Capability.MANAGE_VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def numbers_tag(request: OrganizationRequest) -> HttpResponse:
    """Ask which tag, and give it to numbers that were ticked, or all that match, or take it from them."""
    query = request.POST or request.GET
    chosen = chosen_numbers(request, query)
    # One more than may be tagged says that there are too many, however many there are.
    numbers = list(chosen.order_by("number", "id")[: MOST_TAGGED + 1])
    list_url = reverse("telephony:number_list", args=[request.organization.slug])
    if not numbers or len(numbers) > MOST_TAGGED:
        text = gettext("Tick the numbers first.")
        if numbers:
            text = gettext("At most {most} numbers get a tag at once. Tick fewer.").format(most=count(MOST_TAGGED))
        messages.info(request, text)
        return redirect(list_url)
    form = TagManyForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and query.get("count") == str(len(numbers)):
        with form_errors(form):
            messages.success(request, _act(request, form, numbers))
            return redirect(list_url)
    elif request.method == "POST" and not form.errors:
        form.add_error(
            None, gettext("The list has changed in the meantime. Look at what will happen now, then confirm it again.")
        )
    context = {
        **HERE,
        # By themselves from here on: what matches may be others once some have the tag.
        "numbers": numbers,
        "names": [shown_number(one.number) for one in numbers[:SHOWN]],
        "others": max(0, len(numbers) - SHOWN),
        "known": [name for _key, name in tags_of(request.organization)],
        "form": form,
        "list_url": list_url,
    }
    return render(request, "telephony/numbers_tag.html", context, status=422 if form.errors else 200)


def _act(request: OrganizationRequest, form: TagManyForm, numbers: list[PhoneNumber]) -> str:
    """Do what was asked for, and say what happened."""
    tag, removes = form.cleaned_data["tag"], form.cleaned_data["act"] == TagManyForm.REMOVE
    act = untag_numbers if removes else tag_numbers
    changed = act(
        actor=request.actor,
        organization=request.organization,
        numbers=numbers,
        tag=tag,
        key=form.cleaned_data["key"],
    )
    if removes and not changed:
        return gettext("None of them had the tag “{tag}”.").format(tag=tag)
    if not changed:
        return gettext("All of them had the tag “{tag}” already.").format(tag=tag)
    text = (
        ngettext(
            "The tag “{tag}” was removed from {number} number.",
            "The tag “{tag}” was removed from {number} numbers.",
            changed,
        )
        if removes
        else ngettext("{number} number has got the tag “{tag}”.", "{number} numbers have got the tag “{tag}”.", changed)
    )
    return text.format(number=count(changed), tag=tag)
