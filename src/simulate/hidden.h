/* VirtualServices that have a host for a request and yet do not count for it, and why. */
#ifndef SIMULATE_HIDDEN_H
#define SIMULATE_HIDDEN_H

#include "simulate/virtualhost.h"

/* Whether one of its hosts is, or covers, what the request asks for. */
bool is_for_host(
	const json *virtualservice, const struct mesh *mesh, const struct request *request);

/* Adds {"namespace", "name", "reason"} to an array. */
void add_hidden(json *hidden, const json *virtualservice, const char *reason);

/* Adds those that the proxy is told, and that others take the host from. */
void hidden_behind(const struct virtual_host *host, const struct mesh *mesh,
	const struct object_list *visible, const struct request *request, json *hidden);

#endif
