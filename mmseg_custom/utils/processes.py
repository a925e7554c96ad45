"""The processes of one command. Where torch is not imported there is one, and no need of torch."""

import sys


def rank_and_size() -> tuple[int, int]:
    """Return the number of this process, from 0, and how many there are."""
    if sys.modules.get('torch') is None:
        return 0, 1
    from mmengine.dist import get_dist_info

    return get_dist_info()


def gather(own: list) -> list[list]:
    """Return the lists of all processes, to each of them."""
    if rank_and_size()[1] == 1:
        return [own]
    from mmengine.dist import all_gather_object

    return all_gather_object(own)


def wait_for_all() -> None:
    """Wait until all processes are here."""
    if rank_and_size()[1] > 1:
        from mmengine.dist import barrier

        barrier()
