"""The shapes that routes to a Service can have. Each is a function that makes the user's objects, and says which requests
to send and who is to answer them; test_traffic_shapes.py makes a release with it.

    virtual_services.py   which VirtualServices, and what is in them
    connections.py        TCP and TLS
    destination_rules.py  the user's subsets and policies, and who sees them
    rules.py              --match
    chosen.py             --virtualservice
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from helpers.probe import Probe
from helpers.proxies import CLIENT, OTHER_CLIENT, Sidecar
from helpers.space import Space
from helpers.workload import Workload

REPLICAS = 4

End = Literal["abort", "finish", "finish, then abort"]


class Scene:
    """Two Services: web, which is to be released, and another one. A shape fills in what matters and create()s them."""

    def __init__(self, space: Space, elsewhere: Space):
        self.space = space
        self.elsewhere = elsewhere  # another namespace
        self.web = Workload(space, replicas=REPLICAS)
        self.other = Workload(space, name="other", replicas=1, labels={"version": "other"})

    @property
    def shop(self) -> str:
        """A host of the user's own, of no Service."""
        return f"{self.space.name}.example"


@dataclass(frozen=True)
class Shape:
    set_up: Callable[[Scene], list[Probe]]
    end: End
    flags: tuple[str, ...] = ()  # of start
    subset: str = ""  # of the user's, that routes name before
    clients: tuple[Sidecar, ...] = (CLIENT, OTHER_CLIENT)  # who see the subsets of the release
    left_alone: tuple[str, ...] = ()  # VirtualServices, or their routes ("front:beta"), that are as before at any time


def shape(end: End, *flags: str, **more) -> Callable[[Callable[[Scene], list[Probe]]], Shape]:
    return lambda set_up: Shape(set_up, end, flags, **more)
