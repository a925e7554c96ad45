#!/usr/bin/env bash
# From the public Recycle Trash Dataset to a submission for the contest; docs/recipes.md explains the
# steps. Each continues where it was stopped. Values that differ are given by the environment:
#   PUBLIC=data/recycle_trash_full CONTEST=data/recycle_trash GPUS=8 bash examples/full_recipe.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PUBLIC=${PUBLIC:-data/recycle_trash_full}         # as it was published
CONTEST=${CONTEST:-data/recycle_trash}            # the contest's photos
TRAIN=${TRAIN:-$CONTEST/train_all.json}           # its labeled ones
TEST=${TEST:-$CONTEST/test.json}                  # its unlabeled ones
OUT=${OUT:-work_dirs/recipe}
CONFIG=${CONFIG:-configs/upernet_swin_trash.py}
JOINT=${JOINT:-configs/upernet_swin_trash_pseudo_joint.py}
GPUS=${GPUS:-8}                                   # 0: one process on the CPU
FOLDS=${FOLDS:-5}
SIDE=${SIDE:-512}
TUNE=${TUNE:-50}                                  # trials of the CRF's search
TRAIN_ARGS=(${TRAIN_ARGS:-})                      # of every training, such as --epochs 20
TTA=${TTA:-multi_scale}

train() { # CONFIG ARGUMENTS…
    if ((GPUS)); then tools/dist_train.sh "$1" "$GPUS" "${@:2}"; else python tools/train.py "$@"; fi
}
folds() { # CONFIG OUT ARGUMENTS OF train.py…
    local gpus=()
    ((GPUS == 0)) || gpus=(--gpus "$GPUS")
    python tools/kfold_train.py "$1" --folds-dir "$OUT/folds" --data-root "$CONTEST" --out "$2" \
        "${gpus[@]}" --train-args "${TRAIN_ARGS[@]}" "${@:3}"
}
models() { # KFOLD_DIR: --model, A, --model, B, … a line each
    python -c 'import json, sys
for model in json.load(open(sys.argv[1] + "/kfold.json"))["models"]:
    print("--model", model["checkpoint"], sep="\n")' "$1"
}
step() {
    echo "== $1"
    TIMEFORMAT="== $1: %R s, %U s of CPU"
    time "${@:2}"
}

# 1. A small copy of the public photos, without those of the contest: they would be trained on with
#    the labels that the folds and the leaderboard measure.
step shrink python data_prep/resize.py "$PUBLIC" --size "$SIDE" --out "$OUT/public"
SMALL=$(ls "$OUT"/public/*.json | grep -v provenance | head -1)
without_contest() {
    # Exit code 1 says that there was something to leave out.
    python data_prep/check.py "$SMALL" "$TRAIN" "$TEST" --fix "$OUT/clean" > "$OUT/check.txt" || (($? == 1))
    tail -3 "$OUT/check.txt"
}
step "leave out the contest's photos" without_contest
PRETRAIN=$OUT/clean/$(basename "$SMALL")

# 2. Folds of the contest's photos.
step folds python data_prep/stratified_kfold.py "$TRAIN" --data-root "$CONTEST" --folds "$FOLDS" \
    --group-duplicates --out "$OUT/folds"

# 3. Train on the public photos, then on each fold from there.
step pretrain train "$CONFIG" --train-json "$PRETRAIN" --val-json "$OUT/folds/kfold_0_val.json" \
    --data-root "$CONTEST" --work-dir "$OUT/pretrained" --resume "${TRAIN_ARGS[@]}"
START=$(ls "$OUT"/pretrained/best_mIoU_*.pth | head -1)
step "train the folds" folds "$CONFIG" "$OUT/first" --cfg-options "load_from=$START"

# 4. The ensemble labels the test photos; train each fold again with both.
mapfile -t FIRST < <(models "$OUT/first")
step label python tools/make_pseudo.py "${FIRST[1]}" "$TEST" "${FIRST[@]:2}" --data-root "$CONTEST" \
    --crf --tta flip --exclude "$TRAIN" --out "$OUT/pseudo"
step "train the folds again" folds "$JOINT" "$OUT/second" --cfg-options "load_from=$START" \
    "train_dataloader.dataset.datasets.1.ann_file=$(realpath "$OUT/pseudo/annotations.json")"

# 5. Search a CRF on photos that the model was not trained on, predict, and write the CSV.
mapfile -t SECOND < <(models "$OUT/second")
step "predict a fold" python tools/predict.py "${SECOND[1]}" "$OUT/folds/kfold_0_val.json" \
    --probabilities --out "$OUT/fold_0"
step "search a CRF" python tools/crf.py "$OUT/fold_0" "$OUT/folds/kfold_0_val.json" --tune "$TUNE" \
    --out "$OUT/crf.py"
step "predict the test photos" python tools/ensemble.py predict "$TEST" --data-root "$CONTEST" \
    "${SECOND[@]}" --tta "$TTA" --crf "$OUT/crf.py" --out "$OUT/predicted"
step submit python tools/submit.py "$TEST" --data-root "$CONTEST" --masks "$OUT/predicted/masks" \
    --out "$OUT/submission.csv"
python tools/submit.py "$TEST" --data-root "$CONTEST" --check "$OUT/submission.csv"
