"""What the public Recycle Trash Dataset holds, to compare a copy of it with."""

from collections import Counter
from collections.abc import Iterator

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


def published_differences(content: dict) -> Iterator[str]:
    """Yield what differs from the published counts, where a set is that dataset.

    A set is taken for it when its categories have its names and ids and its photos are in folders
    ``batch_NN``.

    Args:
        content: A valid COCO object, joined from all files.
    """
    names = {entry['id']: name_key(entry['name']) for entry in content.get('categories', ())}
    folders = {image['file_name'].rpartition('/')[0] for image in content['images']}
    batches = {folder for folder in folders if folder.rpartition('/')[2].startswith('batch_')}
    if names != dict(enumerate(map(name_key, OBJECTS))) or not batches or batches != folders:
        return
    objects = Counter(names.get(entry['category_id']) for entry in content['annotations'])
    found = [
        ('batches', len(batches), BATCHES),
        ('photos', len(content['images']), PHOTOS),
        *((name, objects[name_key(name)], number) for name, number in OBJECTS.items()),
    ]
    wrong = [f'{what} {here:,} of {there:,}' for what, here, there in found if here != there]
    if wrong:
        yield f'differs from the published Recycle Trash Dataset: {", ".join(wrong)}'
