#!/usr/bin/env bash
# Make pseudo labels on a Slurm cluster: tools/slurm_make_pseudo.sh PARTITION JOB_NAME [CONFIG] CHECKPOINT INPUT --out DIR [arguments of make_pseudo.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/slurm_common.sh"
slurm_main make_pseudo.py 4 \
    "tools/slurm_make_pseudo.sh PARTITION JOB_NAME [CONFIG] CHECKPOINT INPUT --out DIR [arguments of make_pseudo.py]" "$@"
