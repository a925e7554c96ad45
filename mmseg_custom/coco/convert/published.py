"""What the public Recycle Trash Dataset holds, to compare a copy of it with."""

from collections import Counter
from collections.abc import Iterable

from mmseg_custom.classes import name_key

BATCHES, PHOTOS = 44, 21_818
# NAVER Connect Foundation, github.com/connectfoundation/naverconnect-dataset-trash, CC BY 4.0;
# category ids are the places in this list.
OBJECTS = {
    'UNKNOWN': 758,
    'General trash': 18_117,
    'Paper': 29_873,
    'Paper pack': 4_235,
    'Metal': 4_451,
    'Glass': 4_142,
    'Plastic': 14_098,
    'Styrofoam': 5_627,
    'Plastic bag': 23_805,
    'Battery': 738,
    'Clothing': 2_091,
}


def published_differences(contents: Iterable[dict]) -> str | None:
    """Say what differs from the published counts, where a set is that dataset.

    A set is taken for it when its categories have its names and ids and its photos are in folders
    ``batch_NN``.

    Args:
        contents: The valid COCO objects of its files.

    Returns:
        str | None: One line; None where nothing differs, or the set is another one.
    """
    published = dict(enumerate(map(name_key, OBJECTS)))
    folders: set[str] = set()
    objects: Counter[str] = Counter()
    photos = 0
    for content in contents:
        names = {entry['id']: name_key(entry['name']) for entry in content.get('categories', ())}
        if names != published:
            return None
        photos += len(content['images'])
        folders |= {image['file_name'].rpartition('/')[0] for image in content['images']}
        objects.update(published[entry['category_id']] for entry in content['annotations'])
    if not folders or not all(one.rpartition('/')[2].startswith('batch_') for one in folders):
        return None
    found = [
        ('batches', len(folders), BATCHES),
        ('photos', photos, PHOTOS),
        *((name, objects[name_key(name)], number) for name, number in OBJECTS.items()),
    ]
    wrong = [f'{what} {here:,} of {there:,}' for what, here, there in found if here != there]
    return (
        f'differs from the published Recycle Trash Dataset: {", ".join(wrong)}' if wrong else None
    )
