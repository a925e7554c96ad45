#!/usr/bin/env bash
# Test with several processes: tools/dist_test.sh [CONFIG] CHECKPOINT GPUS [arguments of test.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dist_common.sh"
dist_model test.py 0 \
    "tools/dist_test.sh [CONFIG] CHECKPOINT GPUS [arguments of test.py]" \
    "tools/dist_test.sh work_dirs/…/best_mIoU_iter_40000.pth 8" \
    "$@"
