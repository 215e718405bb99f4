"""The network namespace: loopback only, so nothing gets out, and every address may be used."""

import subprocess

from . import addresses, proxies

# What istio-init does in a client's pod, with the client's address in place of its pod. Before kube-proxy's rules, for
# the sidecar must see which Service was meant.
INTERCEPTION = """\
table ip testbed-clients {{
    chain output {{
        type nat hook output priority -150; policy accept;
        {rules}
    }}
}}
"""


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
    _intercept()


def _intercept() -> None:
    rules = (f"ip saddr {s.address} meta l4proto tcp dnat to 127.0.0.1:{s.outbound_port}" for s in proxies.SIDECARS)
    subprocess.run(["nft", "-f", "-"], input=INTERCEPTION.format(rules="\n".join(rules)), text=True, check=True)
