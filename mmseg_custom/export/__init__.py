"""Models in a form that ONNX can hold with any number and size of photos."""

from mmseg_custom import _quiet_mmseg  # noqa: F401, I001  (before mmseg)

from .photo_model import PhotoModel
from .replace import exportable
from .views import views_of

__all__ = ['PhotoModel', 'exportable', 'views_of']
