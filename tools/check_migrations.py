"""Say whether a model changed without its migration, and whether a migration was left with a made-up name."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "khue.settings.test"
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")


def main() -> int:
    """Return 0 when every change of a model has a migration with a name of its own."""
    import warnings

    warnings.simplefilter("ignore")
    import django

    django.setup()
    from django.core.management import call_command

    auto = [p for p in Path("src/khue").rglob("migrations/*.py") if re.search(r"_auto_\d{8}", p.name)]
    for path in auto:
        print(f"{path}: give this migration a name that says what it does")
    try:
        call_command("makemigrations", check=True, dry_run=True, verbosity=1)
    except SystemExit:
        return 1
    return 1 if auto else 0


if __name__ == "__main__":
    sys.exit(main())
