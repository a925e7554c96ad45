"""The annotations of one photo as layers, and pasting a further one on top of them."""

from dataclasses import dataclass, replace

import numpy as np
from pycocotools import mask as mask_utils

from mmseg_custom.coco.paste.patches import Patch, Placement

from .paint import paint
from .segmentation import (
    Segmentation,
    compact_segmentation,
    describe_mask,
    segmentation_area,
    segmentation_rle,
)


@dataclass(frozen=True)
class Layer:
    """One annotation.

    Attributes:
        entry: The annotation as the JSON has it.
        label: Its class.
        area: What its place in the painting order follows from, as stated or measured.
        segmentation: In its small form.
    """

    entry: dict
    label: int
    area: float
    segmentation: Segmentation


class Layers:
    """The annotations of one photo in painting order.

    Args:
        entries: The photo's annotations as a valid COCO object has them.
        labels: Category ids to labels.
        height: Height of the photo in pixels.
        width: Width of the photo in pixels.
    """

    def __init__(self, entries: list[dict], labels: dict, height: int, width: int):
        self.height, self.width = height, width
        self.layers = [self._layer(entry, labels[entry['category_id']]) for entry in entries]
        self.layers.sort(key=lambda layer: -layer.area)

    def _layer(self, entry: dict, label: int) -> Layer:
        segmentation, area = compact_segmentation(entry['segmentation']), entry.get('area')
        if area is None:
            area = segmentation_area(segmentation, self.height, self.width)
        return Layer(entry, label, area, segmentation)

    def places(self) -> np.ndarray:
        """Return which layer is topmost: ``(H, W)`` uint16, its place + 1, or 0 for none."""
        pairs = [(place + 1, layer.segmentation) for place, layer in enumerate(self.layers)]
        return paint(pairs, self.height, self.width, 0, np.uint16)

    def moved_outline(self, place: int, patch: Patch, placement: Placement) -> list | None:
        """Return a layer's polygons where the patch cut from it is pasted.

        Args:
            place: The layer.
            patch: Was cut from it.
            placement: Where the patch goes.

        Returns:
            list | None: Polygons for a JSON; None for an RLE, or when something lies on the layer.
        """
        layer = self.layers[place]
        visible = np.count_nonzero(patch.mask)
        if isinstance(layer.segmentation, bytes) or visible != segmentation_area(
            layer.segmentation, self.height, self.width
        ):
            return None
        scale = placement.width / patch.mask.shape[1], placement.height / patch.mask.shape[0]
        polygons = []
        for polygon in layer.segmentation:
            points = (polygon.reshape(-1, 2) - (patch.left, patch.top)) * scale
            if placement.flip:
                points[:, 0] = placement.width - points[:, 0]
            points += placement.left, placement.top
            polygons.append(points.round(2).ravel().tolist())
        return polygons

    def add(self, label: int, entry: dict, mask: np.ndarray) -> None:
        """Lay an annotation on top; what it covers keeps only its visible rest.

        A touched layer becomes an RLE of its visible pixels, so that it overlaps with nothing above
        it, and its area never grows: painting by area gives the same picture as painting in order.

        Args:
            label: Class of the new annotation.
            entry: What shall be in the JSON; without ``segmentation`` it becomes the mask's RLE.
            mask: ``(H, W)`` uint8, 1 where it is.
        """
        places = self.places()
        places[mask > 0] = 0
        described = describe_mask(mask)
        rle = described['segmentation']
        kept = [
            self._rest(layer, places == place + 1) if self._touches(layer, rle) else layer
            for place, layer in enumerate(self.layers)
        ]
        entry = described | entry
        segmentation = compact_segmentation(entry['segmentation'])
        self.layers = [layer for layer in kept if layer is not None]
        self.layers.append(Layer(entry, label, entry['area'], segmentation))

    def _touches(self, layer: Layer, rle: dict) -> bool:
        own = segmentation_rle(layer.segmentation, self.height, self.width)
        return mask_utils.area(mask_utils.merge([own, rle], intersect=True)) > 0

    def _rest(self, layer: Layer, visible: np.ndarray) -> Layer | None:
        if not visible.any():
            return None
        entry = layer.entry | describe_mask(visible)
        entry['area'] = min(layer.area, entry['area'])
        segmentation = compact_segmentation(entry['segmentation'])
        return replace(layer, entry=entry, area=entry['area'], segmentation=segmentation)

    def entries(self) -> list[dict]:
        """Return the annotations for a JSON, without those of which nothing can be seen."""
        self.layers.sort(key=lambda layer: -layer.area)
        seen = np.bincount(self.places().ravel(), minlength=len(self.layers) + 1)[1:]
        return [layer.entry for layer, pixels in zip(self.layers, seen, strict=True) if pixels]
