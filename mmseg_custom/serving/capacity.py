"""How much a server takes on at a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Capacity:
    """What bounds the memory and the time that all requests together may take.

    Attributes:
        max_batch: Photos of one size that share a pass of the model, at most.
        max_memory: Bytes that uploads and decoded photos may take at a time. A request beyond it
            waits in line, unread.
        max_waiting: Requests in line at most; more are refused.
        coders: Photos that are decoded, and answers that are encoded, at a time.
        decode_seconds: A photo that takes longer to decode is refused.
        upload_seconds: A request body has to be complete by then.
        stall_seconds: Nothing received for so long ends an upload.
        per_minute: Photos that one client may send in a minute; None: any number.
    """

    max_batch: int = 8
    max_memory: int = 256_000_000
    max_waiting: int = 512
    coders: int = 2
    decode_seconds: float = 10
    upload_seconds: float = 60
    stall_seconds: float = 10
    per_minute: int | None = None
