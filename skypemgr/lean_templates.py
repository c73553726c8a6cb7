"""Our templates without the indentation of their source, which every page would carry to its reader."""

import re

from django.template import Origin
from django.template.loaders import filesystem


class Loader(filesystem.Loader):
    """Reads templates of HTML without the white space that begins their lines; text keeps it."""

    def get_contents(self, origin: Origin) -> str:
        contents = super().get_contents(origin)
        return re.sub(r"\n[ \t]+", "\n", contents) if origin.name.endswith(".html") else contents
