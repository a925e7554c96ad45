#!/usr/bin/env bash
# Train on a Slurm cluster: tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of train.py]
# GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5) and SRUN_ARGS can be set in the environment.
# Inside a batch job (sbatch --requeue --signal=TERM@300) that runs out of time, the training writes
# a checkpoint and the job is queued again, where it continues.
set -euo pipefail
if [[ $# -lt 3 ]]; then
    echo "usage: [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=5] [SRUN_ARGS=…] \\" >&2
    echo "  tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of train.py]" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-8}
((gpus < per_node)) && per_node=$gpus
export PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}"
# shellcheck disable=SC2206  # SRUN_ARGS is meant to be split
command=(srun
    --partition="$1" --job-name="$2"
    --ntasks="$gpus" --ntasks-per-node="$per_node" --gres="gpu:$per_node"
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-}
    "${PYTHON:-python}" -u "$here/train.py" "$3" --launcher slurm --auto-scale-lr "${@:4}")
[[ -n "${SLURM_JOB_ID:-}" ]] || exec "${command[@]}"
trap : TERM  # it comes to all processes of the job, and bash would not wait for srun
code=0
"${command[@]}" || code=$?
if [[ $code == 143 ]]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
