/* Whether a service mesh looks at the requests for a Service, by what can be seen of it. */
#ifndef RELEASE_MESH_H
#define RELEASE_MESH_H

#include "release/record.h"
#include "release/target.h"

/* The labels of the namespace; NULL where it may not be read, which is common. The caller frees. */
json *namespace_labels(const struct api_port *api, const char *namespace);

/* Whether the pods have a sidecar, and by what that is known; NULL where they have none. */
const char *sign_of_sidecar(const json *deployment, const json *labels);

/* A mesh that looks at the requests for the Service, with sidecars or without. */
struct mesh {
	const char *sign; /* by what that is known; NULL where there is none */
	bool is_istio;	  /* or Linkerd */
};

struct mesh find_mesh(
	const struct api_port *api, const struct target *target, const struct record *record);

/* The protocol that a mesh sees in a port of a Service; "" where it finds out by looking at the
 * bytes. The caller frees. */
char *port_protocol(const json *port);

/* With Istio's ambient mode, only a waypoint looks at requests: ERR_FAILED where there is none. */
int check_ambient(const struct api_port *api, const struct target *target,
	const struct record *record, struct err *err);

#endif
