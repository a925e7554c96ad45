"""MMEngine's FSDP, resumed with PyTorch's present order of arguments."""

from mmengine._strategy.fsdp import FSDPStrategy
from mmengine.registry import STRATEGIES
from torch.distributed.fsdp import FullyShardedDataParallel

OPTIMIZER = ('state', 'param_groups')


@STRATEGIES.register_module()
class TrashFSDPStrategy(FSDPStrategy):
    """An ``FSDPStrategy`` whose optimizer can be resumed.

    MMEngine calls PyTorch with the arguments in the order that they had before PyTorch 2.1, and
    does not keep what the optimizer's wrapper has beside the optimizer, such as the loss scale.
    """

    def optim_state_dict(self) -> dict:
        """Return the complete state of optimizer and wrapper; all processes have to ask for it."""
        wrapper = self.optim_wrapper
        state = FullyShardedDataParallel.optim_state_dict(self.model, wrapper.optimizer)
        beside = {key: value for key, value in wrapper.state_dict().items() if key not in OPTIMIZER}
        return state | beside

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """Load what :meth:`optim_state_dict` returned; each process takes its part.

        Args:
            state_dict: The complete state.
        """
        wrapper = self.optim_wrapper
        part = FullyShardedDataParallel.optim_state_dict_to_load(
            self.model, wrapper.optimizer, {key: state_dict[key] for key in OPTIMIZER}
        )
        beside = {key: value for key, value in state_dict.items() if key not in OPTIMIZER}
        wrapper.load_state_dict(part | beside)
