"""The container runtime of the testbed: it answers HTTP for every pod, as long as the pod's container runs.

    watch.py      tells of the pods on the API server
    behaviour.py  reads from annotations and image tag how a pod is to behave
    runtime.py    decides from when until when each pod's process listens
    gate.py       makes the kernel refuse connections to pods that do not listen
    server.py     answers requests
"""
