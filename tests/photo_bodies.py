"""What schemathesis sends as photos: complete ones, cut ones, and bytes that are none."""

import schemathesis
from hostile_photos import encoded
from hypothesis import strategies as st
from PIL import Image

from mmseg_custom.serving.upload import MEDIA_TYPES


def photos_of(kind: str) -> st.SearchStrategy[bytes]:
    sizes = st.tuples(st.integers(1, 70), st.integers(1, 70))
    whole = sizes.map(lambda size: encoded(Image.new('RGB', size, (90, 160, 30)), kind))
    cut = st.tuples(whole, st.floats(0, 1)).map(lambda p: p[0][: int(p[1] * len(p[0]))])
    return st.one_of(whole, cut, st.binary(max_size=99))


for kind, media_type in MEDIA_TYPES.items():
    schemathesis.openapi.media_type(media_type, photos_of(kind))
