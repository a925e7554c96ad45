"""The error for a user's mistake, reported as one message."""

from .addresses import shown

WORKER_MARK = 'Original Traceback'
KIND_MARK = '(kind of error: '


class UserError(ValueError):
    """A mistake in the input (a file, an option), not in this program.

    The command lines print its message without a traceback and exit with ``exit_code``. The message
    names the file and the cause, and never an option: the same error can come up in commands that
    have other options, or in Python. ``kind`` lets a command add its own remedy
    (:mod:`mmseg_custom.cli.remedies`).

    Args:
        message: One readable message. PyTorch rebuilds an exception that was raised in a data
            loading worker from a text that carries the complete traceback; only the message itself
            is kept of it, and from Python 3.11 on the kind.
        kind: What kind of cause it is, such as ``'missing-photos'``; empty if there is no remedy
            but the one in the message.
    """

    exit_code = 2

    def __init__(self, message: str, kind: str = ''):
        if WORKER_MARK in message:
            message = message.rpartition(f'{type(self).__name__}: ')[2].strip()
            message, _, found = message.partition(f'\n{KIND_MARK}')
            kind = found.removesuffix(')') or kind
        super().__init__(shown(message))
        self.kind = kind
        if kind and hasattr(self, 'add_note'):
            # A traceback ends with the notes, which is all that leaves a worker.
            self.add_note(f'{KIND_MARK}{kind})')
