"""The settings of every installation, with the few differences that make tests quick."""

from skypemgr.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Pages are tested without collecting and hashing their static files first.
STORAGES = STORAGES | {  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
WHITENOISE_USE_FINDERS = True
# WhiteNoise wants the folder of collected files to be there, even when it finds them elsewhere.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
