"""Mutations of small valid inputs, and the property that every reader must keep."""

import copy
import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

NIGHT = os.environ.get('FUZZ_PROFILE') == 'night'
fuzz = settings(
    derandomize=not NIGHT,
    max_examples=20_000 if NIGHT else 150,
    database=None,
    suppress_health_check=list(HealthCheck),
)

ODD_NUMBERS = [0, -1, 0.5, 1e308, float('nan'), float('inf'), 10**30, 2**63]
ODD_TEXTS = ['', '..', '../../etc/passwd', '/etc/passwd', 'a\0b', 'a\nb', '\ud800', 'x' * 5000]
ODD_SHAPES = [None, True, [], {}, [[]], [None], [[1, 2]], {'counts': 'zz', 'size': [1, 1]}]
odd_values = st.sampled_from([*ODD_NUMBERS, *ODD_TEXTS, *ODD_SHAPES])


def places(content, path=()):
    """Yield the path of every value inside ``content``."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@st.composite
def mutated(draw, valid, most: int = 3):
    """Draw ``valid`` with one to ``most`` values dropped, doubled, or replaced by odd ones."""
    content = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, most))):
        found = list(places(content))
        if not found:
            break
        *parents, key = draw(st.sampled_from(found))
        holder = content
        for parent in parents:
            holder = holder[parent]
        action = draw(st.sampled_from(['drop', 'odd', 'odd', 'double']))
        if action == 'drop':
            del holder[key]
        elif action == 'double' and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = copy.deepcopy(draw(odd_values))
    return content


@st.composite
def damaged(draw, valid: bytes):
    """Draw ``valid`` cut short, with bytes changed, or with a few odd bytes put in."""
    body = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(body) - 1, 0)))
        action = draw(st.sampled_from(['cut', 'flip', 'insert']))
        if action == 'cut':
            del body[at:]
        elif action == 'flip' and body:
            body[at] ^= draw(st.integers(1, 255))
        else:
            body[at:at] = draw(st.sampled_from([b'\0', b'\xff', b'\xef\xbb\xbf', b'[' * 2000]))
    return bytes(body)
