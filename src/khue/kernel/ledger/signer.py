"""The signer process: a checkpoint each minute, whatever goes wrong in one round."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from khue.kernel.ledger import signing

log = logging.getLogger(__name__)


def serve(*, every: float, times: int, sleep: Callable[[float], None]) -> None:
    """Make checkpoints `every` seconds, `times` rounds or for ever when it is 0.

    A witness or a database that is not to be reached is tried again in the next round; an old backup put
    back or a missing key is logged as an error each round and never signed over.
    """
    rounds = 0
    while not times or rounds < times:
        rounds += 1
        close_old_connections()
        try:
            done = signing.checkpoint(timezone.now())
        except (DatabaseError, OSError) as error:
            log.warning("ledger: no checkpoint in this round: %s", type(error).__name__)
        except (signing.OldDatabase, signing.KeyMissing, signing.checkpoints.WitnessRefused) as error:
            log.error("ledger: no checkpoint is signed: %s: %s", type(error).__name__, error)
        else:
            for reason in done.unreachable:
                log.warning("ledger: witness not reached: %s", reason)
        if not times or rounds < times:
            sleep(every)
