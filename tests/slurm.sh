#!/usr/bin/env bash
# Run the tests of the slurm_*.sh scripts on a real Slurm; installs it first, which takes root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PATH:/usr/sbin:/usr/local/sbin"
# Fails where one is missing.
has_slurm() { type -P munged slurmctld slurmd sbatch srun >/dev/null; }
if ! has_slurm && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge || true
fi
if ! has_slurm; then
    echo "no Slurm here, and it cannot be installed: as root, apt-get install slurm-wlm munge" >&2
    exit 2
fi
exec python -m pytest -p no:randomly tests/tools/test_slurm.py "$@"
