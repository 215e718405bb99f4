"""What the functional tests are written with.

    space.py     a namespace of one's own: kubectl, the plugin, apply, users with few rights
    workload.py  a Deployment behind a Service, with every behaviour that the testbed's pods know
    snapshot.py  objects as they are, compared with objects as they were
    traffic.py   constant traffic, counted by version; measured splits
    envoy.py     what the client's sidecar was told
    audit.py     who wrote what to the API server
    live.py      traffic to watch (tests/cluster/traffic)
    waiting.py   waiting for a condition
"""
