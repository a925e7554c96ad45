#!/usr/bin/env bash
# Predict with several processes: tools/dist_predict.sh CONFIG CHECKPOINT GPUS [arguments of predict.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dist_common.sh"
if [[ $# -lt 4 ]] || ! is_count "$3"; then
    usage "tools/dist_predict.sh CONFIG CHECKPOINT GPUS INPUTS… --out DIR [arguments of predict.py]" \
        "tools/dist_predict.sh configs/upernet_swin_trash.py work_dirs/…/best_mIoU_iter_40000.pth 8 photos --out work_dirs/predicted"
fi
dist_run predict.py "$3" "$1" "$2" "${@:4}"
