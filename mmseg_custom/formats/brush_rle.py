"""Label Studio's run-length code for brush masks (thi.ng/rle-pack), of RGBA pixels in rows.

A stream of bits: 32 for the number of values, 5 for the bits of a value less 1, four times 4 for
sizes of lengths less 1. Then items: one bit (1: a run of one value, 0: single values), 2 bits for
which of the sizes, the length less 1, and the value or values. Label Studio's own Python code works
bit by bit; this reads and writes runs.
"""

from collections.abc import Sequence

import numpy as np

SIZES = (3, 4, 8, 16)
WORD = 8
CHANNELS = 4
HEAD = (32, 5, 4, 4, 4, 4)


def encode_brush(mask: np.ndarray) -> list[int]:
    """Return the code of a mask, as bytes 0..255.

    Args:
        mask: ``(H, W)``, not 0 where the brush was.
    """
    flat = (mask.ravel() != 0).astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate([[0], edges])
    lengths = np.diff([*starts, flat.size]) * CHANNELS
    values = (flat.size * CHANNELS, WORD - 1, *(size - 1 for size in SIZES))
    bits = [f'{value:0{size}b}' for value, size in zip(values, HEAD, strict=True)]
    most = 2 ** SIZES[-1]
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        word = f'{255 if flat[start] else 0:0{WORD}b}'
        while length:
            now = min(length, most)
            which = next(n for n, size in enumerate(SIZES) if now <= 2**size)
            bits.append(f'1{which:02b}{now - 1:0{SIZES[which]}b}{word}')
            length -= now
    text = ''.join(bits)
    text += '0' * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, 'big'))


def decode_brush(code: Sequence[int], height: int, width: int) -> np.ndarray:
    """Return the ``(H, W)`` bool mask of a code: where the alpha channel is not 0.

    Args:
        code: Bytes 0..255.
        height: In pixels.
        width: In pixels.

    Raises:
        ValueError: The code is cut short, or is of another size.
    """
    data = bytes(code)
    bits = ''.join(f'{byte:08b}' for byte in data)
    at = 0

    def take(size: int) -> int:
        nonlocal at
        if at + size > len(bits):
            raise ValueError('a brush RLE is cut short')
        value = int(bits[at : at + size], 2)
        at += size
        return value

    count, word, *sizes = (take(size) for size in HEAD)
    word, sizes = word + 1, [size + 1 for size in sizes]
    if count != height * width * CHANNELS:
        raise ValueError(f'a brush RLE of {count} values on a photo of {width}x{height}')
    pixels = np.zeros(count, bool)
    place = 0
    while place < count:
        is_run = take(1)
        end = place + take(sizes[take(2)]) + 1
        if end > count:
            raise ValueError('a brush RLE is longer than its photo')
        if is_run:
            pixels[place:end] = take(word) > 0
        else:
            pixels[place:end] = [take(word) > 0 for _ in range(end - place)]
        place = end
    return pixels.reshape(height, width, CHANNELS)[..., CHANNELS - 1]
