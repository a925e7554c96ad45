"""Convert a checkpoint between .pth and .safetensors.

What is written holds the weights and the classes: enough to test, predict and fine-tune, not to
resume a training.
"""

from mmseg_custom import cli

SUFFIXES = ('.pth', '.safetensors')


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/convert_checkpoint.py work_dirs/demo_toy/iter_800.pth '
        '--out work_dirs/demo_toy/weights.safetensors',
    )
    parser.add_argument(
        'checkpoint',
        type=cli.model_file,
        metavar='CHECKPOINT',
        help='.pth or .safetensors file, or a model folder',
    )
    parser.add_argument(
        '--out', required=True, metavar='FILE', help='.pth or .safetensors file to write'
    )
    cli.add_trust_option(parser)
    return parser


def run(args) -> None:
    """Read without running code, then write."""
    import io

    import torch

    from mmseg_custom.checkpoints import WholeFileBackend
    from mmseg_custom.checkpoints.checkpoint import state_of
    from mmseg_custom.checkpoints.meta import record_of
    from mmseg_custom.checkpoints.safe_load import load_checkpoint
    from mmseg_custom.checkpoints.safetensors_file import write_safetensors
    from mmseg_custom.utils import UserError
    from mmseg_custom.utils.overwriting import refuse_overwriting

    if not args.out.endswith(SUFFIXES):
        raise UserError(f'--out {args.out}: the name must end in .pth or .safetensors')
    refuse_overwriting([args.out], [args.checkpoint])
    cli.trust_checkpoints(args, args.checkpoint)
    content = load_checkpoint(args.checkpoint)
    kept = dict(state_dict=state_of(content), meta=record_of(content))
    if args.out.endswith('.pth'):
        buffer = io.BytesIO()
        torch.save(kept, buffer)
        WholeFileBackend().put(buffer.getvalue(), args.out)
    else:
        write_safetensors(args.out, kept)
    print(f'wrote {len(kept["state_dict"])} tensors to {args.out}')


if __name__ == '__main__':
    cli.main(build_parser, run)
