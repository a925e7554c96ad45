"""What a training step of an experiment costs: CPU time, or memory of a GPU."""

import io
import resource
import time
from contextlib import redirect_stdout

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_custom.experiment.config import drop_pretrained, set_amp

from .zoo import CONFIGS

SIDE = 512
# On the CPU, where a batch as shipped takes minutes.
FEW = 2
# The first one makes the optimizer's averages.
GPU_STEPS = 3


def config_of(name: str) -> Config:
    """Return an experiment as it is shipped."""
    return Config.fromfile(str(CONFIGS / f'{name}.py'))


def build(name: str):
    """Return the experiment, and its model with random weights."""
    cfg = config_of(name)
    drop_pretrained(cfg.model)
    with redirect_stdout(io.StringIO()):
        return cfg, MODELS.build(cfg.model)


def size_of(cfg: Config) -> int:
    """Return the side of the photos that a model takes, in pixels."""
    size = cfg.model.data_preprocessor.get('size')
    return size[0] if size else SIDE


def cpu_step(name: str) -> dict:
    """Return seconds of CPU time and peak memory (GB) of a step on two photos in float32."""
    cfg, model = build(name)
    set_amp(cfg.optim_wrapper, False)
    wrapper = build_optim_wrapper(model.train(), cfg.optim_wrapper)
    data = batch_of(cfg, FEW)
    begin = time.process_time()
    model.train_step(data, wrapper)
    seconds = time.process_time() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return dict(seconds=round(seconds, 1), gigabytes=round(memory, 1))


def gpu_step(name: str) -> dict:
    """Return the peak memory (GB) of steps at batch, size and precision as shipped, by ``gpu``.

    It is what PyTorch has reserved, without the context of CUDA (about half a GB); None where the
    GPU has less.
    """
    cfg, model = build(name)
    torch.backends.cudnn.benchmark = cfg.env_cfg.get('cudnn_benchmark', False)
    wrapper = build_optim_wrapper(model.cuda().train(), cfg.optim_wrapper)
    batch = cfg.train_dataloader.batch_size
    data = batch_of(cfg, batch)
    found = dict(device=torch.cuda.get_device_name(), batch=batch, side=size_of(cfg))
    try:
        for _ in range(GPU_STEPS):
            model.train_step(data, wrapper)
    except torch.OutOfMemoryError:
        return dict(gpu=found | dict(gigabytes=None))
    gigabytes = torch.cuda.max_memory_reserved() / 2**30
    return dict(gpu=found | dict(gigabytes=round(gigabytes, 1)))


def batch_of(cfg: Config, count: int) -> dict:
    """Return random photos with labels of eleven classes."""
    side = size_of(cfg)
    photos = [torch.randint(0, 256, (3, side, side), dtype=torch.uint8) for _ in range(count)]
    samples = []
    for _ in photos:
        # Blocks, since a photo has objects and not noise.
        labels = torch.randint(0, 11, (1, -(-side // 32), -(-side // 32)))
        labels = labels.repeat_interleave(32, 1).repeat_interleave(32, 2)[:, :side, :side]
        sample = SegDataSample(metainfo=dict(img_shape=(side, side), ori_shape=(side, side)))
        sample.gt_sem_seg = PixelData(data=labels)
        samples.append(sample)
    return dict(inputs=photos, data_samples=samples)
