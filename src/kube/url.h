/*
 * Paths and queries of the Kubernetes API.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
#ifndef KUBE_URL_H
#define KUBE_URL_H

#include "api/kind.h"
#include "api/port.h"
#include "base/buf.h"

/* Adds text with everything but the unreserved characters of RFC 3986 as %XX. */
void url_add_escaped(struct buf *url, const char *text);

/* Adds "?name=value", or "&name=value" after the first; value is escaped. */
void url_add_parameter(struct buf *url, const char *name, const char *value);

/* Adds "/apis/apps/v1" or "/api/v1". */
void url_add_group_version(struct buf *url, const struct kind *kind);

/* Adds the path of a collection, or of one object where name is given. A NULL namespace means all
 * of them, or a kind without. */
void url_add_resource(
	struct buf *url, const struct kind *kind, const char *namespace, const char *name);

/* Adds a collection's path and the selectors of a query: an object by its name is a field selector,
 * so that lists and watches are the same for one and for many. */
void url_add_query(struct buf *url, const struct query *query);

#endif
