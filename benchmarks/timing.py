"""Timing two ways of doing the same work side by side."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

# What is measured: time.process_time counts the work of this process on a busy machine, too.
clock: Callable[[], float] = time.perf_counter


@dataclass
class Comparison:
    """What was measured: medians in milliseconds an item, and the ratio ours / peer."""

    name: str
    peer: str
    ours_ms: float
    peer_ms: float
    ratio: float
    ratio_low: float
    ratio_high: float
    goal: float

    def __str__(self) -> str:
        verdict = 'met' if self.ratio <= self.goal else 'NOT met'
        return (
            f'{self.name}: {self.ours_ms:.2f} ms against {self.peer_ms:.2f} ms ({self.peer})\n'
            f'    ratio {self.ratio:.2f} (over the rounds {self.ratio_low:.2f} to '
            f'{self.ratio_high:.2f}); goal <= {self.goal:.2f}: {verdict}'
        )


def compare(
    name: str,
    ours: Callable[[], object],
    peer_name: str,
    peer: Callable[[], object],
    items: int,
    goal: float,
    rounds: int = 7,
) -> Comparison:
    """Run both in turn, so that a machine whose speed drifts treats them alike.

    Args:
        name: What is measured.
        ours: Does the work on all items.
        peer_name: What it is measured against.
        peer: Does the same work in the peer's way.
        items: Number of items in one call.
        goal: The ratio that is aimed at.
        rounds: Counted rounds, after one that warms up.
    """
    times = []
    for _ in range(rounds + 1):
        times.append((_milliseconds(ours) / items, _milliseconds(peer) / items))
    ours_ms, peer_ms = zip(*times[1:], strict=True)
    ratios = [a / b for a, b in times[1:]]
    return Comparison(
        name,
        peer_name,
        statistics.median(ours_ms),
        statistics.median(peer_ms),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        goal,
    )


def _milliseconds(work: Callable[[], object]) -> float:
    start = clock()
    work()
    return 1000 * (clock() - start)
