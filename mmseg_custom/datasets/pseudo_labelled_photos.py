"""Photos that a model has labeled."""

from mmseg.registry import DATASETS

from .trash_coco import TrashCocoDataset


@DATASETS.register_module()
class PseudoLabelledPhotos(TrashCocoDataset):
    """``TrashCocoDataset`` of a set that ``tools/make_pseudo.py`` wrote, whose samples say so.

    A sample has ``pseudo=True``; a model that asks for it
    (:class:`~mmseg_custom.models.segmentors.PseudoEncoderDecoder`) needs the key among the
    ``meta_keys`` of ``PackSegInputs``. Takes the arguments of :class:`TrashCocoDataset`.
    """

    def load_data_list(self) -> list[dict]:
        """Read and check the JSON.

        Returns:
            list[dict]: As :meth:`TrashCocoDataset.load_data_list`, with ``pseudo=True``.

        Raises:
            UserError: Names the file, what is wrong, and the fix.
        """
        return [dict(sample, pseudo=True) for sample in super().load_data_list()]
