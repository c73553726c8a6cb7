from django.urls import path

from credit.views import card_messages

urlpatterns = [path("stripe/", card_messages.stripe_messages, name="stripe_messages")]
