"""Files that were made to harm who opens them; tests import it as `from hostile_photos import`."""

import io
import struct
import zlib

from PIL import Image

# Zeros, of which compression leaves a thousandth.
BOMB = 256 << 20


def encoded(image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def hostile_photos() -> dict[str, tuple[bytes, tuple[int, ...]]]:
    """Each file by its name, with the statuses it may be refused with."""
    small, bomb = Image.new('RGB', (64, 64), (9, 99, 199)), _bomb()
    png, jpeg = encoded(small, 'PNG'), encoded(small, 'JPEG')
    return {
        'zip_bomb.png': (_png(30_000, 30_000, bomb), (413,)),
        'zip_bomb_in_the_limit_of_pillow.png': (_png(13_000, 13_000, bomb), (413,)),
        'zip_bomb_in_a_text.png': (_png(64, 64, b'', _chunk(b'zTXt', b'a\0\0' + bomb)), (422,)),
        'zip_bomb_in_a_profile.png': (_png(64, 64, b'', _chunk(b'iCCP', b'a\0\0' + bomb)), (422,)),
        'no_pixels.png': (_png(0, 0, b''), (413, 415, 422)),
        '100_megapixels.jpg': (encoded(Image.new('L', (10_000, 10_000)), 'JPEG'), (413,)),
        'huge.webp': (_huge_webp(), (413,)),
        'picture.svg': (b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>', (415,)),
        'text.jpg': (b'This is no photo.\n' * 999, (415,)),
        'empty.jpg': (b'', (415,)),
        'script.jpg': (b'%!PS-Adobe-3.0\n%%BoundingBox: 0 0 9999 9999\n', (415,)),
        'animation.jpg': (encoded(small, 'GIF'), (415,)),
        'cut.png': (png[: len(png) // 2], (422,)),
        'cut.jpg': (jpeg[: len(jpeg) // 2], (422,)),
        'header_only.jpg': (jpeg[:3], (415, 422)),
        'nothing_in_it.webp': (b'RIFF\x04\0\0\0WEBP', (415, 422)),
        'thousands_of_scans.jpg': (many_scans(15_000), (413,)),
        'too_long.jpg': (jpeg + bytes(20 << 20), (413,)),
    }


def costly_photos() -> dict[str, bytes]:
    """Photos within the limits that cost as much as they can."""
    large = Image.new('RGB', (4999, 4999), (9, 99, 199))
    return {
        '25_megapixels.png': encoded(large, 'PNG'),
        '25_megapixels.jpg': encoded(large, 'JPEG'),
        '25_megapixels.webp': encoded(large, 'WEBP', lossless=True),
        '25_megapixels_cmyk.jpg': encoded(large.convert('CMYK'), 'JPEG'),
        '25_megapixels_in_100_scans.jpg': many_scans(100, 4999),
        '16_bit.png': encoded(Image.new('I;16', (4999, 4999), 999), 'PNG'),
    }


def many_scans(scans: int, side: int = 64) -> bytes:
    """A progressive JPEG that repeats its last scan, which costs a pass over the photo each."""
    content = encoded(Image.new('RGB', (side, side), (9, 99, 199)), 'JPEG', progressive=True)
    start, end = content.rindex(b'\xff\xda'), content.rindex(b'\xff\xd9')
    missing = scans - content.count(b'\xff\xda')
    return content[:end] + content[start:end] * missing + content[end:]


def _bomb() -> bytes:
    packer = zlib.compressobj(9)
    return b''.join(packer.compress(bytes(1 << 20)) for _ in range(BOMB >> 20)) + packer.flush()


def _chunk(kind: bytes, data: bytes) -> bytes:
    sum_ = zlib.crc32(kind + data)
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', sum_)


def _png(width: int, height: int, pixels: bytes, *chunks: bytes) -> bytes:
    header = _chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    rest = _chunk(b'IDAT', pixels) + _chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + header + b''.join(chunks) + rest


def _huge_webp() -> bytes:
    """A lossless WebP whose header says 16383 x 16383, with the pixels of a small one."""
    content = bytearray(encoded(Image.new('RGB', (16, 16)), 'WEBP', lossless=True))
    place = content.index(b'VP8L') + 9
    size = 16_382 | 16_382 << 14
    flags = int.from_bytes(content[place : place + 4], 'little') & ~((1 << 28) - 1)
    content[place : place + 4] = (flags | size).to_bytes(4, 'little')
    return bytes(content)
