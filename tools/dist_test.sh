#!/usr/bin/env bash
# Test with several processes: tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of test.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dist_common.sh"
if [[ $# -lt 3 ]] || ! is_count "$3"; then
    usage "tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of test.py]" \
        "tools/dist_test.sh configs/upernet_swin_trash.py work_dirs/…/best_mIoU_iter_40000.pth 8"
fi
dist_run test.py "$3" "$1" "$2" "${@:4}"
