"""Weights that libraries fetch from their hubs."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmseg_custom.utils.errors import UserError

REMEDY = (
    'connect to the network, or put the files into the cache of the hub (~/.cache/huggingface, '
    '~/.cache/torch)'
)


@contextmanager
def fetching(what: str) -> Iterator[None]:
    """Turn whatever a hub raises when it cannot give something into one message.

    Args:
        what: Names the weights.

    Raises:
        UserError: Names the weights, the cause, and what to do.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        # Hubs raise anything from OSError to their HTTP client's own errors.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f'the pretrained weights {what} cannot be fetched ({reason}): {REMEDY}',
            kind='missing-pretrained',
        ) from error
