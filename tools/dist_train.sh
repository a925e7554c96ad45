#!/usr/bin/env bash
# Train with several processes: tools/dist_train.sh CONFIG GPUS [arguments of train.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dist_common.sh"
if [[ $# -lt 2 ]] || ! is_count "$2"; then
    usage "tools/dist_train.sh CONFIG GPUS [arguments of train.py]" \
        "tools/dist_train.sh configs/upernet_swin_trash.py 8"
fi
dist_run train.py "$2" "$1" --auto-scale-lr "${@:3}"
