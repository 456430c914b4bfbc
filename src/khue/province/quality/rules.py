"""The shipped rules, and bringing them in: what is missing is made, what a province changed stays."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from khue.province.quality.models import Rule

PATH = Path(__file__).parent / "data" / "rules.csv"


def shipped() -> Iterator[dict[str, Any]]:
    """Yield the shipped rules as fields of `Rule`."""
    with open(PATH, encoding="utf-8", newline="") as source:
        for number, row in enumerate(csv.DictReader(source)):
            yield {**row, "parameters": json.loads(row["parameters"]), "sort": number}


def ensure_rules() -> int:
    """Make the shipped rules that are missing; returns how many."""
    known = set(Rule.objects.values_list("code", flat=True))
    return len(Rule.objects.bulk_create(Rule(**row) for row in shipped() if row["code"] not in known))
