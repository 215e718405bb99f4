"""Where things are. Everything the testbed writes is below build/cluster."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
ROOT = SOURCE.parent.parent
BUILD = ROOT / "build"
BIN = BUILD / "cluster" / "bin"
ISTIO_CRDS = BUILD / "cluster" / "istio-crds.yaml"
VENV_BIN = BUILD / "venv" / "bin"
CONFIG = SOURCE / "config"

# One cluster, one directory: another directory is another cluster beside the first.
RUN = Path(os.environ.get("BATCHROLLOUT_CLUSTER_DIR") or BUILD / "cluster" / "run").absolute()
PKI = RUN / "pki"
LOGS = RUN / "logs"
SUPERVISOR = RUN / "supervisor"  # process id and start time of the supervisor
READY = RUN / "ready"  # exists while the cluster is up and complete
FAILURE = RUN / "failure"  # why the cluster ended by itself
# A test that kills a program writes its name into this file; then it is started again, and the file goes.
KILLED = RUN / "killed"
LOCK = RUN / "lock"
KUBECONFIG = RUN / "kubeconfig"
