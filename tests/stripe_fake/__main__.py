"""Serve until interrupted."""

import argparse

from tests.stripe_fake.account import API_KEY, SECRET
from tests.stripe_fake.server import FakeStripe

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=8190)
parser.add_argument("--tell", default="")
options = parser.parse_args()
stripe = FakeStripe(options.port)
stripe.tell = options.tell
print(f"STRIPE_API_BASE={stripe.url} STRIPE_API_KEY={API_KEY} STRIPE_WEBHOOK_SECRET={SECRET}")  # noqa: T201
stripe.serve_forever()
