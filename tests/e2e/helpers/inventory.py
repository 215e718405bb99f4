"""All that there is in a namespace."""

from functools import cache

from .space import Space

# They come and go by themselves, or are what is behind the objects that are compared.
PASSING = {"events", "events.events.k8s.io", "pods", "endpointslices.discovery.k8s.io", "endpoints"}


@cache
def _kinds(kubeconfig: str) -> str:
    space = Space("", kubeconfig)  # type: ignore[arg-type]
    names = space.kubectl("api-resources", "--namespaced", "--verbs=list,get", "--output=name").out.split()
    return ",".join(name for name in names if name not in PASSING and not name.startswith("pods."))


def inventory(space: Space) -> set[str]:
    """The names of all objects, of every kind that the cluster serves: "configmap/batchrollout-web" ..."""
    return set(space.kubectl("get", _kinds(str(space.kubeconfig)), "--output=name").out.split())
