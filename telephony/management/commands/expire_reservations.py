from typing import Any

from members.management.base import JsonCommand
from telephony.services.reservation_work import expire_reservations


class Command(JsonCommand):
    help = "Write down which reservations have expired. Their numbers are free without it."

    def act(self, **options: Any) -> dict[str, Any]:
        return {"expired": expire_reservations()}

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['expired']} reservations have expired.")
