"""Write docs/reference/openapi.json from the API itself: `python docs/make_api_reference.py`."""

import json
from pathlib import Path

from assent.apps.api.app import describe

PAGE = Path(__file__).parent / "reference" / "openapi.json"


def text() -> str:
    """Return the description, as it is kept."""
    return json.dumps(describe(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
