#!/usr/bin/env bash
# Predict on a Slurm cluster: tools/slurm_predict.sh PARTITION JOB_NAME [CONFIG] CHECKPOINT INPUTS… --out DIR [arguments of predict.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/slurm_common.sh"
slurm_main predict.py 4 \
    "tools/slurm_predict.sh PARTITION JOB_NAME [CONFIG] CHECKPOINT INPUTS… --out DIR [arguments of predict.py]" "$@"
