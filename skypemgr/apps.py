from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from skypemgr import translations


class SkypemgrConfig(AppConfig):
    name = "skypemgr"

    def ready(self) -> None:
        # Each app says in its module `checks` what must hold on an installation.
        autodiscover_modules("checks")
        translations.install()
