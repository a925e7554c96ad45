#!/usr/bin/env bash
# Train on a Slurm cluster: tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of train.py]
# In a batch job (sbatch --requeue --signal=TERM@300) that runs out of time, the training writes a
# checkpoint and the job is queued again, where it continues.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/slurm_common.sh"
if [[ $# -ge 3 ]]; then
    set -- "${@:1:3}" --auto-scale-lr "${@:4}"
fi
slurm_main train.py 1 \
    "tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of train.py]" "$@"
