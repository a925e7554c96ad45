import cv2
import numpy as np
import pytest
from run_folders import write_run

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, paint, read_coco
from mmseg_custom.runs.validation_photos import ValidationPhotos, look_at_photos
from mmseg_custom.utils import UserError


@pytest.fixture
def config(tmp_path, toy_set):
    return write_run(tmp_path / 'run', toy_set)


def test_photos_and_labels_are_those_of_the_files(config, toy_set):
    # What the experiment does to photos when it validates is not what is to be seen.
    config.val_dataloader.dataset.pipeline.insert(1, dict(type='Resize', scale=(32, 32)))
    photos = ValidationPhotos(config)
    samples = coco_to_samples(read_coco(toy_set / 'val.json'), built_in())
    assert len(photos) == len(samples)
    for (name, photo, truth), sample in zip(photos, samples, strict=True):
        assert name == sample['file_name']
        written = cv2.imread(str(toy_set / name))[..., ::-1]
        np.testing.assert_array_equal(photo, written)
        size = sample['height'], sample['width']
        np.testing.assert_array_equal(truth, paint(sample['annotations'], *size, fill=0))
    assert len(config.val_dataloader.dataset.pipeline) == 4


def test_there_is_a_result_a_photo(config, random_checkpoint):
    photos = ValidationPhotos(config)
    segmenter = TrashSegmenter(config, random_checkpoint, 'cpu')
    results = look_at_photos(segmenter, photos, 3)
    assert [photo.name for photo in results.gallery.photos] == [name for name, *_ in photos]
    assert len(results.gallery.worst) == len(results.gallery.best) == 3
    pixels = sum(truth.size for *_, truth in photos)
    assert results.tally.confusion.sum() == results.tally.confidence[0].sum() == pixels
    assert results.seconds > 0
    assert (results.device, results.classes) == ('cpu', segmenter.classes)


def test_an_experiment_without_validation(config):
    config.val_dataloader = None
    with pytest.raises(UserError, match='no val_dataloader'):
        ValidationPhotos(config)
