from django.apps import AppConfig


class SkypemgrConfig(AppConfig):
    name = "skypemgr"
