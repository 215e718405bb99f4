"""What the unit tests expect of VirtualServices and DestinationRules, istiod takes."""

import json

from helpers.corpus import cases, objects
from helpers.space import Space


def test_istiod_admits_every_object_in_every_state(space: Space):
    """A dry run goes through the schema and through istiod's admission, and leaves nothing behind."""
    distinct = {json.dumps(item["spec"], sort_keys=True): item for path in cases() for item in objects(path)}
    assert len(distinct) > 250
    text = "".join(f"---\n{json.dumps(item)}\n" for item in distinct.values())
    # Some objects have fields of the future, which today's schema drops.
    done = space.kubectl(
        "create", "--dry-run=server", "--validate=ignore", "--output", "name", "--filename", "-",
        input=text, check=False, timeout=300,
    )  # fmt: skip
    admitted = {line.rpartition("/")[2] for line in done.out.splitlines()}
    refused = [item["metadata"]["name"] for item in distinct.values() if item["metadata"]["name"] not in admitted]
    assert not refused, f"{refused}\n{done.err}"


def test_dry_runs_are_looked_at(space: Space):
    """The test above would pass with an admission that takes everything."""
    item = next(item for path in cases() for item in objects(path) if item["kind"] == "VirtualService")
    item["spec"]["http"][0]["match"] = [{"headers": {"x": {"regex": "(?<=a)b"}}}]
    done = space.kubectl("create", "--dry-run=server", "--filename", "-", input=json.dumps(item), check=False)
    assert done.code == 1 and "validation.istio.io" in done.err, done
