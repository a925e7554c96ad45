#!/usr/bin/env bash
# Make pseudo labels with several processes: tools/dist_make_pseudo.sh [CONFIG] CHECKPOINT GPUS [arguments of make_pseudo.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dist_common.sh"
dist_model make_pseudo.py 1 \
    "tools/dist_make_pseudo.sh [CONFIG] CHECKPOINT GPUS INPUT --out DIR [arguments of make_pseudo.py]" \
    "tools/dist_make_pseudo.sh work_dirs/…/best_mIoU_iter_40000.pth 8 data/recycle_trash/test.json --out data/recycle_trash/pseudo" \
    "$@"
