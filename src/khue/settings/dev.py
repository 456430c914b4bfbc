"""A laptop, a school, a demo: plain HTTP on loopback."""

from __future__ import annotations

import os

from khue.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *ALLOWED_HOSTS]
KHUE_DEMO = os.environ.get("KHUE_DEMO", "on") == "on"
KHUE_SECOND_FACTOR = os.environ.get("KHUE_SECOND_FACTOR", "off" if KHUE_DEMO else "on") == "on"
