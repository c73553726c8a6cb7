#!/usr/bin/env python
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from skypemgr.embedded import ServerError, servers_for_command


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")
    # A person at a shell is patient; the limit of five seconds is for web requests.
    os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT", "0")
    try:
        with servers_for_command(sys.argv):
            execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, ServerError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
