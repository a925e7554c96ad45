"""Let the console show what matters; the log file of a run has everything."""

import logging
import re

# The progress bar shows what the lines of single iterations say.
FILE_ONLY = re.compile(
    r'paramwise_options|Config:|Hooks will be executed|\n----|Exp name:|Saving checkpoint at'
    r'|Iter\(train\)|Iter\(\w+\) +\[.*eta:'
    r'|Distributed training is not used|Checkpoints will be saved to'
    r'|Loads checkpoint by|The previous best checkpoint'
    r'|"FileClient" will be|"HardDiskBackend" is the|The prefix is not set'
    # Each of the weights that the optimizer does not train: those of a teacher, and frozen ones.
    r'|teacher\.module\.|\S+ is skipped since its requires_grad=False'
    r'|Loads? checkpoint (?:by|from)'
)
# Each validation of a training has a table; a test shows its own.
TABLES = 'per class results'


class ConsoleFilter(logging.Filter):
    """Drop records that are for the log file only.

    Attributes:
        trains: Whether a training runs, in which tables of validations are dropped, too.
    """

    trains = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is shown."""
        text = record.getMessage()
        return not FILE_ONLY.match(text) and not (self.trains and text.startswith(TABLES))


class ConsoleFormatter(logging.Formatter):
    """Show the message alone, and the level of warnings and errors."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line to print."""
        text = super().format(record)
        return f'{record.levelname.lower()}: {text}' if record.levelno >= logging.WARNING else text
