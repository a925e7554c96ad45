"""The error that is a person's to mend, told in one message."""

WORKER_MARK = 'Original Traceback'


class UserError(ValueError):
    """A mistake in the input (a file, an option), not in this program.

    The command lines print its message without a traceback and exit with
    ``exit_code``. The message names the file and says what to do about it.

    Args:
        message: One readable message. PyTorch rebuilds an exception that was
            raised in a data loading worker from a text that carries the whole
            traceback; only the message itself is kept of it.
    """

    exit_code = 2

    def __init__(self, message: str):
        if WORKER_MARK in message:
            message = message.rpartition('UserError: ')[2].strip()
        super().__init__(message)
