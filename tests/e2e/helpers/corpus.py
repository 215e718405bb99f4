"""The golden corpus of tests/unit/traffic/corpus (its README has the format): each object in each of its states."""

import copy
from collections.abc import Iterator
from pathlib import Path

import yaml
from helpers.space import ROOT, Object

CORPUS = ROOT / "tests" / "unit" / "traffic" / "corpus"
VERSION = "networking.istio.io/v1"


def cases() -> list[Path]:
    """The files of all releases that are not refused."""
    return sorted(path for path in CORPUS.glob("*/*.yaml") if path.parent.name != "refused")


def pick(node: object, index: int, key: str = "") -> object:
    """A copy in which lists of weights are the one weight of a state."""
    if key == "weight" and isinstance(node, list):
        return node[index]
    if isinstance(node, list):
        return [pick(element, index) for element in node]
    if isinstance(node, dict):
        return {name: pick(value, index, name) for name, value in node.items()}
    return copy.deepcopy(node)


def reference(document: Object, kind: str, metadata: Object) -> str:
    own = document.get("release", {}).get("namespace", "shop")
    namespace = metadata.get("namespace", own)
    return f"{kind.lower()}/{metadata['name']}" + ("" if namespace == own else f".{namespace}")


def states(document: Object, kind: str, given: Object) -> Iterator[tuple[str, Object]]:
    """The name of each state, and the spec of the object in it."""
    yield "given", given["spec"]
    expected = document.get("expected", {}).get(reference(document, kind, given["metadata"]), {})
    for names, members in expected.items():
        for index, name in enumerate(str(names).split(" ")):
            yield name, given["spec"] | pick(members, index)


def own(document: Object) -> Iterator[Object]:
    """The VirtualService that a release makes where there is none; its routes are those expected."""
    if "own" in document:
        service = document.get("release", {}).get("service", "web")
        spec = {"hosts": [service], "http": [{"route": [{"destination": {"host": service}}]}]}
        yield {"kind": "VirtualService", "metadata": {"name": f"batchrollout-{service}"}, "spec": spec}


def objects(path: Path) -> Iterator[Object]:
    """Each object of a case in each state, with a name that tells which one it is, without a namespace."""
    document = yaml.safe_load(path.read_text())
    for number, given in enumerate([*document["given"], *own(document)]):
        for state, spec in states(document, given["kind"], given):
            name = f"{path.parent.name}-{path.stem}-{number}-{state}"
            yield {"apiVersion": VERSION, "kind": given["kind"], "metadata": {"name": name}, "spec": spec}
    for key in ("added", "added both"):
        for number, added in enumerate(document.get("expected", {}).get(key, [])):
            name = f"{path.parent.name}-{path.stem}-{key.replace(' ', '-')}-{number}"
            yield {"apiVersion": VERSION, "kind": "DestinationRule", "metadata": {"name": name}, "spec": added["spec"]}
