"""Count the scans of a JPEG file without decoding it."""

import re

# Encoders write about ten scans; each one costs a pass over the complete photo.
MAX_SCANS = 100
# Stuffed bytes (FF 00) and restart markers are part of a scan's data.
MARKER = re.compile(rb'\xff+([^\x00\xff\xd0-\xd7])', re.DOTALL)
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = b'\xd8', b'\xd9', b'\xda'


def count_scans(content: bytes) -> int:
    """Return the number of scans of a JPEG file, or an upper bound that is below the limit."""
    most = content.count(b'\xff' + START_OF_SCAN)
    if most <= MAX_SCANS:
        return most
    # Metadata and what follows the picture may hold the same two bytes: walk through the segments.
    scans, place = 0, 0
    while match := MARKER.search(content, place):
        marker, place = match[1], match.end()
        if marker == END_OF_IMAGE:
            break
        scans += marker == START_OF_SCAN
        if marker != START_OF_IMAGE:
            place += max(2, int.from_bytes(content[place : place + 2], 'big'))
    return scans
