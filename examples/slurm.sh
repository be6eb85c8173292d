#!/usr/bin/env bash
# A fit on four machines under Slurm: one rank for each socket, all of its cores as threads. `sbatch examples/slurm.sh`
#SBATCH --job-name=laminar
#SBATCH --nodes=4
#SBATCH --ntasks-per-socket=1
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail

# The file, the folder of the run and the program are on a file system that all machines see. A job that was stopped, or whose machine
# failed, goes on from the last checkpoint: --resume starts the run if there is none. Another number of nodes gives the same model.
mpirun --map-by ppr:1:socket:PE="$SLURM_CPUS_PER_TASK" --bind-to core \
    laminar fit power.npy --preset power --tpr --batch-size 100000 --threads "$SLURM_CPUS_PER_TASK" --budget 3h50m --resume --out run/
