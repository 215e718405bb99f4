"""All of Istio's objects that have to do with a namespace, wherever they stand."""

import json

from .snapshot import normal
from .space import Object, Space

KINDS = "virtualservices,destinationrules,gateways.networking.istio.io"


def _concerned(space: Space) -> list[Object]:
    """Names of namespaces are made up for each test, so whatever holds the name is of this test."""
    return [item for item in space.get(KINDS, "--all-namespaces") if space.name in json.dumps(item)]


def routing_snapshot(space: Space) -> dict[str, Object]:
    """By "Kind/namespace/name"; see snapshot()."""
    return {f"{o['kind']}/{o['metadata']['namespace']}/{o['metadata']['name']}": normal(o) for o in _concerned(space)}


def delete_elsewhere(space: Space) -> None:
    """What a test left in namespaces that do not go with it."""
    for item in _concerned(space):
        metadata = item["metadata"]
        if metadata["namespace"] != space.name:
            space.kubectl("delete", item["kind"], metadata["name"], "-n", metadata["namespace"], "--ignore-not-found")
