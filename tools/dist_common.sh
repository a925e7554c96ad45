# Shared by the dist_*.sh scripts: starts GPUS processes of a tool on this node.
#   dist_run TOOL GPUS ARGUMENTS…
# With CUDA the processes talk over NCCL, one GPU each; on a CPU-only machine over gloo.
# MAX_RESTARTS=N (with several nodes, on each): when a process is gone, all are started again, up to
# N times, and train.py continues.
# Several nodes: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each and start the same command. A node
# that was started with another command is not let in (RUN_ID=NAME: compare this name instead).
usage() {
    echo "usage: $1" >&2
    echo "  one node:  $2" >&2
    echo "  two nodes: NNODES=2 NODE_RANK=0|1 MASTER_ADDR=first-host PORT=29500 $2" >&2
    exit 2
}

# A model is CHECKPOINT or CONFIG CHECKPOINT, with GPUS behind it:
#   dist_model TOOL LEAST USAGE EXAMPLE ARGUMENTS…
# LEAST is how many arguments the tool needs behind GPUS.
dist_model() {
    local tool=$1 least=$2 usage=$3 example=$4 words=1
    shift 4
    if [[ $# -ge 2 ]] && ! is_count "$2"; then words=2; fi
    if [[ $# -lt $((words + 1 + least)) ]] || ! is_count "${@:words+1:1}"; then
        usage "$usage" "$example"
    fi
    dist_run "$tool" "${@:words+1:1}" "${@:1:words}" "${@:words+2}"
}

is_count() { [[ "$1" =~ ^[1-9][0-9]*$ ]]; }

dist_run() {
    local tool=$1 gpus=$2 here
    shift 2
    if ! is_count "${NNODES:-1}"; then
        echo "NNODES=$NNODES: the number of nodes is fixed; give one number" >&2
        exit 2
    fi
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    local rendezvous=(--nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}")
    if [[ "${NNODES:-1}" == 1 && -z "${PORT:-}" ]]; then
        rendezvous=(--standalone)  # picks a free port
    else
        local run=${RUN_ID:-}
        [[ -n "$run" ]] || run=$(printf '%s\0' "$tool" "$gpus" "$@" | cksum | cut -d' ' -f1)
        rendezvous+=(--master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}"
            --rdzv_id="$run")
    fi
    # The processes share the cores; torchrun would give each a single one.
    local cores restarts=${MAX_RESTARTS:-0}
    cores=$(nproc 2>/dev/null || sysctl -n hw.ncpu)
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((cores / gpus > 0 ? cores / gpus : 1))}
    # Processes that are started again after a fault have no new time: train.py --max-hours.
    TRASH_SEG_LAUNCHED_AT=$(date +%s)
    export TRASH_SEG_LAUNCHED_AT
    # PyTorch 2.14 keeps the addresses of the processes that are gone in the store it shares.
    ((restarts == 0)) || export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
    PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python}" \
        "$here/dist_launch.py" "${rendezvous[@]}" --nproc_per_node="$gpus" \
        --max_restarts="$restarts" \
        "$here/$tool" --launcher pytorch "$@"
}
