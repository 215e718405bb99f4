/* What the parts of the API client share; for kube/ alone. */
#ifndef KUBE_INTERNAL_H
#define KUBE_INTERNAL_H

#include <time.h>

#include "base/str.h"
#include "kube/client.h"
#include "net/http.h"

/* An answer is never longer: a chunk of 500 objects at the size that etcd takes at most (1.5 MiB)
 * would be, but objects of that size do not come by the hundreds. */
#define KUBE_ANSWER_MAXIMUM ((size_t)128 << 20)

struct kube_credentials {
	char *authorization; /* "Authorization: …", or NULL */
	char *token_file;
	struct timespec token_read; /* the token file's mtime when it was read */
	bool token_was_read;
};

struct kube_client {
	struct http_client *http;
	char *server;
	char *field_manager;
	struct kube_credentials credentials;
	struct str_list impersonation; /* "Impersonate-User: …" */
	struct str_list warned;	       /* warnings that were shown */
	/* From discovery: the group versions that were asked for, and the resources found there, as
	 * "apps/v1" and "apps/v1/deployments". */
	struct str_list discovered, served;
	struct kube_client_options options;
};

/* One request to the API. */
struct kube_request {
	const char *method;
	const char *path;		 /* with the query: what comes after the server */
	const char *content_type, *body; /* or NULL */
	/* May it be sent again when it is unknown whether the server processed it? */
	bool idempotent;
};

/* Sends it, again where that makes sense, and parses the answer (ret may be NULL). HTTP statuses
 * of 400 and more become errors (status.h). */
int kube_request(struct kube_client *client, const struct kube_request *request, json **ret,
	struct err *err);

/* The headers of a request: NULL-terminated, to be freed with kube_headers_release. They borrow
 * from the client. */
struct kube_headers {
	const char *lines[40];
	size_t count;
	char *content_type;
};
int kube_headers_make(struct kube_client *client, const char *content_type,
	struct kube_headers *ret, struct err *err);
void kube_headers_release(struct kube_headers *headers);

/* The line for -v, where that is wanted. */
void kube_trace(struct kube_client *client, const char *method, const char *url, int status,
	int64_t milliseconds);

/* credentials.c */
int kube_credentials_init(
	struct kube_credentials *credentials, const struct kube_config *config, struct err *err);
void kube_credentials_release(struct kube_credentials *credentials);
/* Reads the token file when it has changed. */
int kube_credentials_refresh(struct kube_credentials *credentials, struct err *err);

/* list.c, write.c, watch.c: the functions of the port, the context being the client */
int kube_list(void *context, const struct query *query, json **ret, struct err *err);
int kube_write(void *context, const struct write *write, json **ret_object, struct err *err);
int kube_watch_open(void *context, const struct query *queries, const json *const *lists,
	size_t count, struct watch **ret, struct err *err);
int kube_watch_next(struct watch *watch, int64_t timeout_ms, size_t *ret_index, json **ret_event,
	struct err *err);
void kube_watch_close(struct watch *watch);

#endif
