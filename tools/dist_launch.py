"""torchrun without the stack trace when it is the command that failed, or the port is taken.

Takes torchrun's arguments. Ends with the exit code of the first process that failed, so that a
user's mistake is one message and code 2 with several processes as it is with one; when a signal
ended it, after its processes, with 128 and the signal's number.
"""

import sys

from torch.distributed import DistNetworkError, DistStoreError
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main


def fail(message: str) -> None:
    """Print one message and leave as after any user's mistake."""
    print(f'dist_launch.py: error: {message}', file=sys.stderr, flush=True)
    sys.exit(2)


if __name__ == '__main__':
    try:
        main()
    except ChildFailedError as error:
        code = error.get_first_failure()[1].exitcode
        # A process ended by signal N has the code -N; shells say 128 + N.
        sys.exit(code if code > 0 else 128 - code)
    except SignalException as error:
        sys.exit(128 + error.sigval)
    except DistNetworkError as error:
        if 'EADDRINUSE' in str(error):
            fail('another program has the port of PORT; give all nodes another one')
        fail(f'the first node cannot be reached: {str(error).splitlines()[0]}')
    except DistStoreError as error:
        fail(f'not all NNODES nodes started this command: {str(error).splitlines()[0]}')
