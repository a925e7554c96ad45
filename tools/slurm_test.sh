#!/usr/bin/env bash
# Test on a Slurm cluster: tools/slurm_test.sh PARTITION JOB_NAME [CONFIG] CHECKPOINT [arguments of test.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/slurm_common.sh"
slurm_main test.py 1 \
    "tools/slurm_test.sh PARTITION JOB_NAME [CONFIG] CHECKPOINT [arguments of test.py]" "$@"
