# Shared by the slurm_*.sh scripts: starts a tool by srun, one process per GPU.
#   slurm_main TOOL LEAST USAGE PARTITION JOB_NAME ARGUMENTS…
# LEAST is how many arguments the tool needs.
# From a shell, srun asks for the resources: GPUS (8) processes, GPUS_PER_NODE (8) and CPUS_PER_TASK
# (5). On a partition without GPUs: GPUS=0 TASKS=4 TASKS_PER_NODE=2.
# Inside a job (sbatch, salloc) the processes are the tasks that the job was granted.
# SRUN_ARGS is added to srun's options in both cases.
slurm_main() {
    local tool=$1 least=$2 usage=$3
    shift 3
    if [[ $# -lt $((least + 2)) ]]; then
        echo "usage: [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=5] [SRUN_ARGS=…] \\" >&2
        echo "  $usage" >&2
        echo "  without GPUs: GPUS=0 TASKS=4 TASKS_PER_NODE=2 $usage" >&2
        exit 2
    fi
    local partition=$1 name=$2 here
    shift 2
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    export PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}"
    local resources
    if [[ -n "${SLURM_JOB_ID:-}" ]]; then
        granted_resources "$name"
    else
        wanted_resources "$partition" "$name"
    fi
    # shellcheck disable=SC2206  # SRUN_ARGS is meant to be split
    local command=(srun "${resources[@]}" --export=ALL --kill-on-bad-exit=1
        ${SRUN_ARGS:-} "${PYTHON:-python}" -u "$here/$tool" --launcher slurm "$@")
    if [[ -n "${SLURM_JOB_ID:-}" && "${ENVIRONMENT:-}" == BATCH ]]; then
        run_in_batch_job "${command[@]}"
    else
        exec "${command[@]}"
    fi
}

wanted_resources() {
    local gpus=${GPUS:-8} tasks per_node
    if ((gpus > 0)); then
        tasks=$gpus per_node=${GPUS_PER_NODE:-8}
    else
        tasks=${TASKS:-1} per_node=${TASKS_PER_NODE:-${TASKS:-1}}
    fi
    ((tasks < per_node)) && per_node=$tasks
    resources=(--partition="$1" --job-name="$2" --ntasks="$tasks" --ntasks-per-node="$per_node")
    ((gpus == 0)) || resources+=(--gres="gpu:$per_node")
    resources+=(--cpus-per-task="${CPUS_PER_TASK:-5}")
}

granted_resources() {
    local tasks=${SLURM_NTASKS:-$((${SLURM_NNODES:-1} * ${SLURM_NTASKS_PER_NODE:-1}))}
    local gpus=$((${SLURM_GPUS_ON_NODE:-0} * ${SLURM_NNODES:-1}))
    if ((gpus > tasks)); then
        echo "the job has $gpus GPUs and $tasks task(s): ask for one task per GPU (--ntasks=$gpus)" >&2
        exit 2
    fi
    # srun does not take over sbatch's --cpus-per-task since Slurm 22.05.
    resources=(--job-name="$1" --ntasks="$tasks" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}")
}

# A training that is asked to stop before the job's time is over writes a checkpoint and then the
# file named in TRASH_SEG_STOPPED. Only that file says that the job is to be queued again: the exit
# code of srun is the highest of all processes, and srun itself sends SIGTERM after a mistake.
run_in_batch_job() {
    local id=$SLURM_JOB_ID code=0 folder srun
    # The plain number of an array's first task stands for the array.
    [[ -z "${SLURM_ARRAY_JOB_ID:-}" ]] || id=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
    folder=$(mktemp -d)
    export TRASH_SEG_STOPPED=$folder/stopped
    "$@" &
    srun=$!
    # `sbatch --signal=B:TERM@300` sends it to this shell alone. It must not end srun, which would
    # kill the processes.
    # shellcheck disable=SC2064
    trap "scancel --signal=TERM $id 2>/dev/null || true" TERM
    while true; do
        code=0
        wait "$srun" || code=$?
        kill -0 "$srun" 2>/dev/null || break
    done
    # A requeue sends SIGTERM to this shell, too. A scancel of then would be refused, would try
    # again some seconds later, and would reach the next start of the job.
    trap '' TERM
    if [[ -e "$TRASH_SEG_STOPPED" && $code != 0 && $code != 2 ]]; then
        queue_again "$id"
    fi
    rm -rf "$folder"
    exit "$code"
}

queue_again() {
    # `scancel JOB` sends SIGTERM as well, when the job is no longer running.
    if ! scontrol show job --oneliner "$1" | grep -q 'JobState=RUNNING'; then
        echo "job $1 was canceled: it is not queued again" >&2
    elif scontrol requeue "$1"; then
        echo "job $1 is queued again, and continues from its checkpoint" >&2
    else
        echo "job $1 cannot be queued again: submit it with --requeue, or start it with --resume" >&2
    fi
}
