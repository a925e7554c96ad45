#!/usr/bin/env bash
# Predict with several processes: tools/dist_predict.sh [CONFIG] CHECKPOINT GPUS [arguments of predict.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dist_common.sh"
dist_model predict.py 1 \
    "tools/dist_predict.sh [CONFIG] CHECKPOINT GPUS INPUTS… --out DIR [arguments of predict.py]" \
    "tools/dist_predict.sh work_dirs/…/best_mIoU_iter_40000.pth 8 photos --out work_dirs/predicted" \
    "$@"
