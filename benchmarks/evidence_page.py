"""The page of the evidence."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmseg_custom.utils.tables import markdown

from .evidence_results import Row, compare
from .studies import interval

HEAD = """# What each technique gains

The photos are small copies of the 361 of garbage6, with six classes and Background. The backbone
is EfficientNet-Lite0 with ImageNet weights where no other one is named, the head SegFormer's.

1. Five stratified folds: each photo is validated once, by a model that has not seen it.
2. 1,000 iterations of 8 photos; the last weights are measured, validation photos choose nothing.
3. mIoU over the photos of all folds together, mean over the seeds.
4. The gain is the difference to the first line of a table on the same folds and seeds; its 95 %
   interval is from the paired bootstrap over these pairs. That of five pairs is rather too narrow.
5. A learning rate factor of 1/3 or 3 is at the edge of what was tried.
6. Each interval stands for itself: of twenty techniques without effect, one would leave out zero.

![gains with their intervals](images/evidence.png)
"""
FOOT = """## How to repeat it

`SMALL` and `LARGE` are the set at 64 and at 160 pixels (`data_prep/resize.py --size 64`) with its
classes in `classes.yaml`; their `folds` are from `data_prep/stratified_kfold.py`:

```bash
ablate() {  # DATA FOLDS OUT CONFIG...
    DATA=$1 FOLDS=$2 OUT=$3; shift 3
    python tools/ablate.py "$@" --keep-going --folds-dir $DATA/$FOLDS --data-root $DATA \\
        --out $OUT --train-args --no-amp --classes $DATA/classes.yaml $MORE
}
E=configs/ablation
HEADS="--cache-features --seeds 0 --lr-factors 0.333 1 3"
for K in 0 1 2 3 4; do
    python data_prep/copy_paste.py --json-path SMALL/folds/kfold_${K}_train.json \\
        --data-root SMALL --classes SMALL/classes.yaml --out SMALL/pasted_$K --lsj --aug-num 289
    mkdir -p SMALL/folds_pasted && cp SMALL/folds/kfold_${K}_val.json SMALL/folds_pasted
    cp SMALL/pasted_$K/kfold_${K}_train_pasted.json SMALL/folds_pasted/kfold_${K}_train.json
    python data_prep/stratified_kfold.py SMALL/folds/kfold_${K}_train.json --folds 4 \\
        --classes SMALL/classes.yaml --data-root SMALL --out SMALL/nested_$K
    MORE="--lr-factor 3" ablate SMALL nested_$K work_dirs/nested/$K $E/frozen_head.py \\
        --cache-features --seeds 0
done
ablate SMALL folds work_dirs/frozen $E/frozen_head.py $E/cosine_restarts.py $E/backbone_*.py \\
    --variants $E/frozen_head.yaml $HEADS --lr-folds 2 --seeds 0 1 2
ablate SMALL folds_pasted work_dirs/frozen $E/copy_paste_offline.py $HEADS --lr-folds 2 \\
    --seeds 0 1 2
mkdir work_dirs/heads && cp -r work_dirs/frozen/frozen_head work_dirs/heads
ablate SMALL folds work_dirs/heads $E/frozen_head.py $HEADS
ablate LARGE folds work_dirs/frozen_wide $E/frozen_head_wide.py $E/cosine_restarts_wide.py \\
    --variants $E/frozen_head.yaml $HEADS
MORE="--option frozen_features --lr-factor 3 --cfg-options model.decode_head.channels=32" \\
    ablate SMALL folds work_dirs/augmented $E/trained.py $E/trained_copy_paste.py \\
    $E/trained_mirrored.py --variants $E/trained.yaml --seeds 0 1 2
ablate SMALL folds work_dirs/trained $E/trained.py $E/trained_*.py --variants $E/trained.yaml \\
    --seeds 0
afterwards() {  # STUDY DATA HEADS CONFIG...
    STUDY=$1 DATA=$2; shift 2
    python -m benchmarks.evidence_$STUDY "$@" --folds-dir $DATA/folds --data-root $DATA \\
        --classes $DATA/classes.yaml
}
afterwards afterwards LARGE work_dirs/frozen_wide/frozen_head_wide $E/frozen_head_wide.py
afterwards averages SMALL work_dirs/heads/frozen_head $E/frozen_head.py --nested work_dirs/nested
afterwards folds SMALL work_dirs/heads/frozen_head $E/frozen_head.py
python -m benchmarks.evidence work_dirs/frozen work_dirs/frozen_wide work_dirs/augmented \\
    work_dirs/trained
```

The last command writes this page and its picture from `benchmarks/results/evidence.json`, which
has the confusion matrix of each training.
"""


def page(content: Mapping, studies: Mapping) -> tuple[str, dict[str, list[tuple[str, Row]]]]:
    """Return the page, and the compared rows of each study by its title.

    Args:
        content: Raw results, by study.
        studies: What evidence.yaml says of them.
    """
    parts, compared = [HEAD], {}
    wanted, measured = list(studies['not_measured']), set()
    for name, study in studies.items():
        if name == 'not_measured':
            continue
        if 'arms' not in study:
            parts += [_divisions(study, content[name])] if content.get(name) else []
            wanted += [] if content.get(name) else [study['title']]
            continue
        rows = compare(content[name], study['first']) if content.get(name) else []
        titles = {arm: title.replace(';', ',') for arm, title in study['arms'].items()}
        beside = {study['first'], *study.get('controls', ())}
        wanted += [title for arm, title in titles.items() if arm not in beside]
        measured |= {titles[row.name] for row in rows}
        if rows:
            rows = [row for arm in titles for row in rows if row.name == arm]
            parts.append(_study(dict(study, arms=titles), rows))
            shown = [(_short_name(study, row.name), row) for row in rows if row.name not in beside]
            compared[study['title']] = shown
    everything = [pair for pairs in compared.values() for pair in pairs]
    parts.append('## What it means\n\n' + _meaning(everything))
    missing = [title for title in dict.fromkeys(wanted) if title not in measured]
    parts.append('## Not measured\n\n' + '\n'.join(f'- {title}' for title in missing) + '\n')
    return '\n'.join([*parts, FOOT]), compared


def _short_name(study: Mapping, arm: str) -> str:
    """Return the name of an experiment as the picture and the conclusions have it."""
    return study['arms'][arm].split(';')[0] + study.get('mark', '')


def _study(study: Mapping, rows: Sequence[Row]) -> str:
    """Return the heading, the note and the table of a study."""
    factors = any(row.factors for row in rows)
    lines = [['experiment', 'mIoU', 'gain', '95 % interval', 'pairs', *(['lr'] if factors else [])]]
    for number, row in enumerate(rows):
        gain = f'{row.gain:+.2f}' if number else ''
        interval = f'{row.interval[0]:+.2f} to {row.interval[1]:+.2f}' if row.interval else ''
        cells = [study['arms'][row.name], f'{row.mean:.2f}', gain, interval if number else '']
        lines.append([*cells, str(row.trainings), *([_factors(row)] if factors else [])])
    return f'## {study["title"]}\n\n{study["note"].strip()}\n\n{markdown(lines)}\n'


def _divisions(study: Mapping, found: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return the section on kinds of folds.

    Args:
        study: Its ``title`` and ``note``.
        found: By kind, ``score`` and ``fraction`` of each division, in points (see
            :mod:`benchmarks.evidence_folds`).
    """
    lines = [['folds', 'fraction of a class off by up to', 'mIoU of a fold off by']]
    for kind, values in found.items():
        means = [f'{np.mean(values[what]):.2f} points' for what in ('fraction', 'score')]
        lines.append([kind, *means])
    plain, stratified = (np.array(found[kind]['score']) for kind in ('plain', 'stratified'))
    low, high = interval(stratified - plain)
    text = (
        f'{len(plain)} divisions of each kind. For the mIoU, the difference of both means is '
        f'{np.mean(stratified - plain):+.2f} points ({low:+.2f} to {high:+.2f}).'
    )
    return f'## {study["title"]}\n\n{study["note"].strip()}\n\n{markdown(lines)}\n\n{text}\n'


def _factors(row: Row) -> str:
    """Return such as ``1 x4, 3``: factors of the learning rate and how many folds chose them."""
    names = {1 / 3: '1/3', 0.333: '1/3'}
    return ', '.join(
        f'{names.get(factor, f"{factor:g}")}{f" x{count}" if count > 1 else ""}'
        for factor, count in sorted(row.factors.items())
    )


def _meaning(pairs: Sequence[tuple[str, Row]]) -> str:
    """Return one sentence each for what gains, what loses, and what shows no effect."""
    better, worse, neither = [], [], []
    for title, row in pairs:
        if row.interval is None or row.interval[0] <= 0 <= row.interval[1]:
            neither.append(title)
        else:
            (better if row.interval[0] > 0 else worse).append(f'{title} ({row.gain:+.1f})')
    sentences = [
        f'The complete interval is above zero for: {"; ".join(better) or "nothing"}.',
        f'It is below zero for: {"; ".join(worse) or "nothing"}.',
        f'No effect is shown for: {"; ".join(neither) or "nothing"}.',
    ]
    return '\n'.join(f'- {sentence}' for sentence in sentences) + '\n'
