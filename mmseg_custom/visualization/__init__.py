"""Pictures for people."""

from .contact_sheet import contact_sheet
from .overlay import overlay

__all__ = ['contact_sheet', 'overlay']
