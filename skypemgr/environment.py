import re
from pathlib import Path

SETTINGS = Path(__file__).parent / "settings.py"


def setting_names() -> set[str]:
    """Every environment variable that the settings read, without reading them.

    Tests and measurements begin by forgetting these, so that nothing somebody has configured is ever touched.
    """
    return set(re.findall(r'(?:env\.\w+|_setting)\(\s*"([A-Z_]+)"', SETTINGS.read_text()))
