"""The door through which the card processor tells what happened."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from credit.gateways.payments import MessageRefused
from credit.gateways.stripe import card_gateway, cards_offered
from credit.services.card_messages import take_message
from members.decorators import public_view

logger = logging.getLogger(__name__)


@csrf_exempt
@public_view
@require_POST
def stripe_messages(request: HttpRequest) -> HttpResponse:
    """Take a message that Stripe has signed. It sends it again, for days, until this answers 200."""
    if not cards_offered():
        raise Http404
    try:
        message = card_gateway().read_message(request.body, request.headers.get("Stripe-Signature", ""))
    except MessageRefused as refusal:
        logger.warning("A message that claims to be of Stripe was refused: %s", refusal)
        return HttpResponse("This is no message for us.\n", status=400, content_type="text/plain")
    take_message(message=message)
    return HttpResponse("Understood.\n", content_type="text/plain")
