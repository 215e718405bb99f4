/*
 * Which VirtualServices a proxy is told, and in which order: by their gateways and exportTo. The
 * order counts where several have one host.
 */
#ifndef SIMULATE_VISIBLE_H
#define SIMULATE_VISIBLE_H

#include "simulate/request.h"

/* Borrowed objects. */
struct object_list {
	const json **items;
	size_t count;
};

void object_list_release(struct object_list *list);

/* Of resolved VirtualServices those that the request's proxy gets: first the ones that are exported
 * to their own namespace alone, then to the client's by name, then to all; each by age. */
struct object_list visible_virtualservices(const json *resolved, const struct request *request);

/* Why the proxy does not get a VirtualService; NULL where it does. The caller frees. */
char *why_not_visible(const json *virtualservice, const struct request *request);

#endif
