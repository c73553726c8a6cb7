from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from skypemgr import sign_in_lines, translations


class SkypemgrConfig(AppConfig):
    name = "skypemgr"

    def ready(self) -> None:
        # Each app says in `checks` what must hold on an installation, in `invariants` what of its data.
        autodiscover_modules("checks", "invariants")
        translations.install()
        sign_in_lines.connect()
