"""What systemd wants to know of a service: that it is ready, and that it is alive."""

import os
import socket
from collections.abc import Mapping

from mmseg_custom.utils import UserError


class ServiceManager:
    """Sends systemd's notifications (sd_notify), each one datagram; nothing without systemd.

    Args:
        environment: Has ``NOTIFY_SOCKET`` if systemd wants to be notified.

    Raises:
        UserError: There is no such socket.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ):
        address = environment.get('NOTIFY_SOCKET')
        self._socket: socket.socket | None = None
        if not address:
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            # A name that begins with @ is in the abstract name space.
            self._socket.connect('\0' + address[1:] if address[0] == '@' else address)
        except OSError as error:
            raise UserError(f'NOTIFY_SOCKET={address}: cannot be notified ({error})') from None

    def ready(self, status: str) -> None:
        """Report that the service has started."""
        self._send(f'READY=1\nSTATUS={status}')

    def alive(self, status: str | None = None) -> None:
        """Report that it is alive, which it has to do within ``WatchdogSec``.

        Args:
            status: One line that ``systemctl status`` shows; None: as before.
        """
        self._send('WATCHDOG=1' + (f'\nSTATUS={status}' if status else ''))

    def stopping(self) -> None:
        """Report that it ends."""
        self._send('STOPPING=1')

    def _send(self, text: str) -> None:
        if self._socket is not None:
            self._socket.send(text.encode())
