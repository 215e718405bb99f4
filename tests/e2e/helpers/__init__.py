"""What the functional tests are written with.

    space.py     a namespace of one's own: kubectl, the plugin, apply, users with few rights
    workload.py  a Deployment behind a Service, with every behaviour that the testbed's pods know
    snapshot.py  objects as they are, compared with objects as they were
    routes.py    objects that say where requests go: VirtualServices, Gateways, HTTPRoutes ...
    proxies.py   the clients and the ingress gateway that requests go through
    request.py   a request, the way it takes, what it carries; sends some of them
    traffic.py   constant traffic; measured splits
    counts.py    responses, counted by version
    envoy.py     what the sidecars and the gateway were told
    audit.py     who wrote what to the API server
    live.py      traffic to watch (tests/cluster/traffic)
    waiting.py   waiting for a condition
"""
