"""Seal stored tokens anew with the first key of the ring, so that the others can go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from bridge.db.sealed_tokens import FIRST, Sealed, SealedTokens
from bridge.errors import NotOpened
from bridge.secrets.key_ring import KeyRing
from bridge.secrets.token_sealing import open_token, seal_token

log = structlog.get_logger(__name__)

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many tokens of other keys were sealed anew, and how many do not open."""

    done: int = 0
    failed: int = 0
    """They do not open; each is replaced when its person comes next."""


async def reseal(
    ring: KeyRing, tokens: SealedTokens, on_progress: Callable[[Resealed], None] = lambda _: None
) -> Resealed:
    """Seal all of them anew, batch by batch; a repeat goes on where an earlier one has ended.

    A token that is replaced meanwhile stays as it is: it was sealed with the first key then. `on_progress`
    gets the sum after each batch. Raises `DatabaseUnavailable`.
    """
    sum_up, after = Resealed(), FIRST
    while batch := await tokens.sealed_with_others(ring.ids[0], after=after, limit=_BATCH):
        opened = list(_anew(ring, batch))
        await tokens.replace(opened)
        sum_up = Resealed(sum_up.done + len(opened), sum_up.failed + len(batch) - len(opened))
        after = batch[-1].person
        on_progress(sum_up)
    return sum_up


def _anew(ring: KeyRing, batch: Sequence[Sealed]) -> Iterator[tuple[Sealed, str]]:
    for sealed in batch:
        try:
            yield sealed, seal_token(ring, sealed.person, open_token(ring, sealed.person, sealed.text))
        except NotOpened as error:
            log.warning("token_not_opened", person=str(sealed.person), reason=error.message)
