"""The addresses inside the network namespace. They mean nothing outside of it."""

NODE = "10.0.0.1"
SERVICES = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
PODS = "10.244.0.0/16"
POD_GATEWAY = "10.244.0.1/16"
API_SERVER = f"https://{NODE}:6443"
ETCD = "http://127.0.0.1:2379"

# The ports that the processes in pods listen on.
POD_PORTS = (80, 8080, 8081, 9090)
POD_TLS_PORTS = (8443,)

# The responder's own health page; it is there once the responder knows the pods.
RESPONDER_HEALTH = ("127.0.0.1", 18090)
