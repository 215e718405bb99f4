/*
 * The Kubernetes API over HTTP: the port of api/port.h, and what only commands need beside it.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <signal.h>
#include <stdbool.h>

#include "api/port.h"
#include "kube/config.h"

struct kube_client;

struct kube_client_options {
	const char *user_agent;	   /* "kubectl-batchrollout/v0.1.0 (linux/amd64)" */
	const char *field_manager; /* "kubectl-batchrollout" */
	/* Set by a signal handler: every request and wait ends with ERR_INTERRUPTED soon after. */
	const volatile sig_atomic_t *interrupted;
	/* Called for each `Warning:` header that was not seen before (RFC 7234, 5.5). */
	void (*warn)(void *context, const char *text);
	/* Called for each request when not NULL, for -v: method, URL, status, milliseconds.
	 * Credentials are never part of it. */
	void (*trace)(void *context, const char *line);
	/* Waits before a request is tried again; NULL: a wait that `interrupted` ends. */
	int (*sleep)(void *context, int64_t ms, struct err *err);
	void *context;
};

/* The config is read during the call only. ERR_FAILED when credentials would go over plain http. */
int kube_client_new(const struct kube_config *config, const struct kube_client_options *options,
	struct kube_client **ret, struct err *err);
void kube_client_free(struct kube_client *client); /* NULL-safe */

/* The port of this client, valid as long as the client. */
struct api_port kube_client_port(struct kube_client *client);

/* GET of a path that is no list, e.g. "/version" or "/apis/networking.istio.io/v1". */
int kube_client_get(struct kube_client *client, const char *path, json **ret, struct err *err);

/* Whether the API serves this kind (discovery). 1, 0, or a code. */
int kube_client_serves(struct kube_client *client, const struct kind *kind, struct err *err);

#endif
