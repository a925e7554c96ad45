"""The metrics of a server, for Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from .capacity import Capacity
from .turnstile import Turnstile

BATCH_SIZES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The numbers of one server, in a registry of its own.

    Args:
        capacity: Its limits are exported, to compare the numbers with.
        turnstile: The line of requests.

    Attributes:
        registry: Holds what follows.
        requests: ``trash_requests_total`` by path and status.
        seconds: ``trash_request_seconds`` by path.
        batch_size: ``trash_batch_size``: photos that shared a pass of the model.
        waiting: ``trash_photos_waiting`` for the model.
    """

    def __init__(self, capacity: Capacity, turnstile: Turnstile):
        self.registry = CollectorRegistry()
        options: dict[str, Any] = dict(registry=self.registry)
        self.requests = Counter(
            'trash_requests', 'Requests answered', ['path', 'status'], **options
        )
        self.seconds = Histogram(
            'trash_request_seconds', 'Time from request to answer', ['path'], **options
        )
        self.batch_size = Histogram(
            'trash_batch_size', 'Photos in a pass of the model', buckets=BATCH_SIZES, **options
        )
        self.waiting = Gauge('trash_photos_waiting', 'Photos that wait for the model', **options)
        line = Gauge('trash_requests_in_line', 'Requests that wait to be read', **options)
        line.set_function(turnstile.__len__)
        held = Gauge('trash_memory_bytes', 'Memory that requests hold', **options)
        held.set_function(lambda: turnstile.held)
        limit = Gauge('trash_requests_in_line_limit', 'Beyond it a photo gets a 503', **options)
        limit.set(capacity.max_waiting)
        most = Gauge('trash_memory_bytes_limit', 'Beyond it requests wait in line', **options)
        most.set(capacity.max_memory)
