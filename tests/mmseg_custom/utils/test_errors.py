"""Every error for a user survives a pickle and a data loading worker as one message."""

import pickle
import sys

import pytest
from torch._utils import ExceptionWrapper
from torch.utils.data import DataLoader, Dataset

import mmseg_custom.coco.photos
import mmseg_custom.serving.upload
import mmseg_custom.utils.non_finite
import mmseg_custom.utils.provenance  # noqa: F401
from mmseg_custom.utils import UserError


def kinds(base=UserError):
    return [base, *(one for child in base.__subclasses__() for one in kinds(child))]


@pytest.mark.parametrize('kind', kinds())
def test_it_comes_out_of_a_worker_as_its_message(kind):
    """As PyTorch does it: the exception is made again from a text with the traceback in it."""
    try:
        raise kind('a.png: the photo is truncated')
    except UserError:
        wrapped = ExceptionWrapper(sys.exc_info(), where='in DataLoader worker process 0')
    with pytest.raises(kind) as error:
        wrapped.reraise()
    assert str(error.value) == 'a.png: the photo is truncated'


@pytest.mark.skipif(sys.version_info < (3, 11), reason='exceptions have no notes')
@pytest.mark.parametrize('workers', [0, 1])
def test_its_remedy_comes_out_of_a_worker(workers):
    """A photo that a loading worker misses gets the same advice as one that is missed at once."""
    with pytest.raises(UserError) as error:
        next(iter(DataLoader(Missing(), num_workers=workers)))
    assert (str(error.value), error.value.kind) == ('a.png: no such photo', 'missing-photos')


class Missing(Dataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise UserError('a.png: no such photo', kind='missing-photos')


@pytest.mark.parametrize('kind', kinds())
def test_it_survives_a_pickle(kind):
    error = kind('a.png: the photo is truncated')
    error.kind = 'format'
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.kind) == (kind, str(error), 'format')
