"""Small helpers with no knowledge of datasets or models."""

from .atomic import atomic_path, write_json
from .errors import UserError

__all__ = ['UserError', 'atomic_path', 'write_json']
