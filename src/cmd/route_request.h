/* The request that the flags of `route` describe. */
#ifndef CMD_ROUTE_REQUEST_H
#define CMD_ROUTE_REQUEST_H

#include "cmd/route_cluster.h"

struct route_flags {
	const char *path, *method, *host, *port, *from, *at_batch, *output;
	struct str_list headers, cookies, labels;
};

/* The request, and what it owns. */
struct inquiry {
	struct request request;
	char *host, *namespace, *gateway;
	json *headers, *labels;
};

void inquiry_release(struct inquiry *inquiry);

/* What the flags say by themselves. Port and host may be missing. The strings of service and
 * own_namespace are borrowed. */
int inquiry_read(const struct route_flags *flags, const char *service, const char *own_namespace,
	struct inquiry *inquiry, struct err *err);

/* What is missing, from what the cluster has: the port, the host, and of a gateway, which may be
 * anywhere, the namespace and labels of its pods. */
int inquiry_complete(struct session *session, const struct route_cluster *cluster,
	const struct route_flags *flags, struct inquiry *inquiry, struct err *err);

#endif
