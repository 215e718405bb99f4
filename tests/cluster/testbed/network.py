"""The network namespace: loopback only, so nothing gets out, and every address may be used."""

import subprocess

from . import addresses


def set_up() -> None:
    for command in (
        "link set lo up",
        f"address add {addresses.NODE}/32 dev lo",
        # Every pod address is local: one listener on 0.0.0.0 stands for all pods.
        f"route add local {addresses.PODS} dev lo",
        # Service addresses need some route before kube-proxy's rules can rewrite them.
        f"route add default dev lo src {addresses.NODE}",
    ):
        subprocess.run(["ip", *command.split()], check=True)
