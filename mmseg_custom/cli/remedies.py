"""Say what the running command can do about an error.

The library raises a :class:`~mmseg_custom.utils.UserError` with the cause, the place, and a
``kind``. Which options help depends on the command, so that advice is given here, and only with
options that the running command has.
"""

import argparse

# By kind: the options that a remedy needs, and its text.
REMEDIES: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    'bad-resume': ((('--resume',), 'leave out --resume to start at iteration 0'),),
    'batch-of-one': ((('--batch-size',), 'use --batch-size 2 or more'),),
    'broken-annotations': (
        ((), 'write a corrected file with data_prep/check.py ANN --fix OUT_DIR'),
    ),
    'interrupted': ((('--resume',), 'continue with the same command and --resume'),),
    'changed-experiment': (
        (('--allow-changes',), 'continue with the new values: --allow-changes'),
    ),
    'folder-in-use': (
        (('--out',), 'choose another --out'),
        (('--work-dir',), 'choose another --work-dir'),
        (('--fix',), 'choose another folder for --fix'),
        (('--force',), 'start over with --force'),
    ),
    'leaked-photos': ((('--allow-leak',), 'train all the same: --allow-leak'),),
    'lossy-format': ((('--allow-loss',), 'write it all the same: --allow-loss'),),
    'missing-annotations': (
        (('--data-root', '--cfg-options'), 'say where the data is with --data-root'),
        (
            ('--data-root', '--cfg-options'),
            'draw the toy set with: python data_prep/make_toy_trash.py',
        ),
    ),
    'missing-cross-validation': (((), 'make it with tools/kfold_train.py'),),
    'missing-folds': (((), 'make folds with data_prep/stratified_kfold.py'),),
    'missing-photos': (
        (('--data-root',), 'say where the photos are with --data-root'),
        (('--no-photos',), 'leave the photos out with --no-photos'),
    ),
    'missing-rules': ((('--make-rules',), 'write rules for this model with --make-rules FILE'),),
    'missing-pretrained': ((('--no-pretrained',), 'start from random weights: --no-pretrained'),),
    'missing-probabilities': (((), 'save them with tools/predict.py --probabilities'),),
    'model-has-own-loss': ((('--loss',), 'leave out --loss'),),
    'no-fitting-batch': (
        (('--batch-size',), 'give a number with --batch-size'),
        (('--option',), 'keep fewer activations: --option checkpointing'),
    ),
    'no-validation-set': (
        (('--no-photos',), 'leave the photos out with --no-photos'),
        (('--exclude',), 'name the validation files with --exclude'),
    ),
    'random-cache': (
        (('--augmentation',), 'leave the augmentation out: --augmentation none'),
        (('--option',), 'leave out --option cached_samples'),
    ),
    'non-finite-loss': (
        (('--option',), 'clip the gradients: --option clip_grad'),
        (
            ('--cfg-options',),
            'skip up to N such batches: --cfg-options default_hooks.non_finite_loss.max_skipped=N',
        ),
    ),
    'not-inside-data-root': (
        (('--out',), 'choose an --out inside the folder of the photos'),
        (('--mode',), 'use --mode new'),
    ),
    'nothing-left': ((('--fix',), 'run without --fix to see why'),),
    'other-classes': ((('--classes',), 'leave out --classes'),),
    'output-is-input': ((('--out',), 'choose another --out'),),
    'remote-access': (((), 'give the credentials as its client reads them (docs/data.md)'),),
    'remote-fault': (((), 'check the address, the network and the server'),),
    'remote-output': (
        (('--out',), 'choose a local folder with --out'),
        (('--work-dir',), 'choose a local folder with --work-dir'),
    ),
    'remote-package': (((), 'install it with: pip install -e ".[remote]"'),),
    'taken-master-port': ((('--launcher',), 'set PORT (Slurm: MASTER_PORT) to a free one'),),
    'open-camera': (
        (('--keys',), 'ask for a password: --keys FILE'),
        (('--host',), 'leave out --host'),
    ),
    'taken-port': ((('--port',), 'take another --port'),),
    'two-data-roots': ((('--data-root',), 'say with --data-root which of the two'),),
    'unclear-format': ((('--from',), 'say which with --from'),),
    'unknown-host': ((('--host',), 'leave out --host, or give an address of this machine'),),
    'unfit-categories': (
        (('--classes',), 'say with --classes which classes there are'),
        (('--class-map',), 'map each to a class, Background or ignore with --class-map'),
    ),
    'untrusted-checkpoint': (
        (('--trust-checkpoint',), 'if you know who made the file, use --trust-checkpoint'),
    ),
    'worker-lost': (
        (('--batch-size',), 'use a smaller --batch-size'),
        (
            ('--cfg-options',),
            'load without workers: --cfg-options LOADER.num_workers=0 with LOADER for '
            'train_dataloader or val_dataloader or test_dataloader',
        ),
        (('--resume',), 'then continue with the same command and --resume'),
    ),
}


def advice(kind: str, options: set[str]) -> str:
    """Return ``". What to do: …"``, or an empty text if the command can do nothing.

    Args:
        kind: Of the error; see ``REMEDIES``. An unknown one has no advice.
        options: The option strings of the running command.
    """
    texts = [text for needed, text in REMEDIES.get(kind, ()) if options.issuperset(needed)]
    return f'. What to do: {"; or ".join(texts)}' if texts else ''


def options_of(parser: argparse.ArgumentParser, args: argparse.Namespace | None = None) -> set[str]:
    """Return the option strings of a command, including those of the chosen subcommand.

    Args:
        parser: The command's parser.
        args: What it parsed, or None for the options of all subcommands.
    """
    found = set()
    # argparse has no public list of a parser's options.
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for name, subparser in action.choices.items():
                if args is None or getattr(args, action.dest) == name:
                    found |= options_of(subparser, args)
    return found
