"""The metrics of a server, for Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BATCH_SIZES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The numbers of one server, in a registry of its own.

    Args:
        max_waiting: Exported unchanged, to compare ``trash_photos_waiting`` with.

    Attributes:
        registry: Holds what follows.
        requests: ``trash_requests_total`` by path and status.
        seconds: ``trash_request_seconds`` by path.
        batch_size: ``trash_batch_size``: photos that shared a pass of the model.
        waiting: ``trash_photos_waiting`` for the model.
    """

    def __init__(self, max_waiting: int):
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
        limit = Gauge('trash_photos_waiting_limit', 'Beyond it a photo gets a 503', **options)
        limit.set(max_waiting)
