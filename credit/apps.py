from django.apps import AppConfig


class CreditConfig(AppConfig):
    name = "credit"

    def ready(self) -> None:
        # They name models, which exist only from here on.
        from credit.selectors import list_balances  # noqa: PLC0415
        from members.registry import MemberFact, registry  # noqa: PLC0415

        registry.add(MemberFact(key="balance", values=list_balances))
