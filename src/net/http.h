/*
 * HTTP requests over one keep-alive client; the only user of libcurl.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http_client;
struct http_stream;

struct http_blob {
	const char *bytes;
	size_t length;
};

struct http_options {
	const char *user_agent;
	struct http_blob certificate_authority, client_certificate, client_key; /* PEM, or empty */
	const char *tls_server_name; /* instead of the URL's host, for SNI and verification */
	const char *proxy_url;
	bool insecure_skip_tls_verify;
	bool compression;
	int64_t timeout_ms; /* for a whole request, 0: none; not for streams */
	const volatile sig_atomic_t *interrupted;
};

struct http_request {
	const char *method; /* "GET" … */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	const char *body;           /* or NULL */
	size_t body_length;
};

struct http_response {
	int status;
	struct buf body;
	int retry_after_seconds;   /* 0 when the server named none */
	struct buf warnings;       /* the values of Warning headers, one a line */
};

int http_client_new(const struct http_options *options, struct http_client **ret, struct err *err);
void http_client_free(struct http_client *client);

/* One request. Any HTTP status is success here; a code means that no complete answer came:
 * ERR_UNAVAILABLE (network, timeout), ERR_INTERRUPTED, ERR_FAILED (TLS, answer too large).
 * maximum: bytes of body at most. */
int http_perform(struct http_client *client, const struct http_request *request, size_t maximum,
	struct http_response *ret, struct err *err);
void http_response_release(struct http_response *response);

/* Long answers that are read line by line as they come (watches). Several may be open at once. */
int http_stream_open(struct http_client *client, const struct http_request *request,
	size_t line_maximum, struct http_stream **ret, struct err *err);

/* Waits until any of the streams has a line, has ended, or the time has passed. Returns 1 with the
 * index, 0 at the timeout, or ERR_INTERRUPTED. */
int http_streams_wait(struct http_client *client, struct http_stream *const *streams, size_t count,
	int64_t timeout_ms, size_t *ret_index, struct err *err);

/* The next line that has come, without the newline; NULL when there is none yet. Valid until the
 * next call for this stream. */
const char *http_stream_line(struct http_stream *stream);
/* 0 before the headers came. */
int http_stream_status(const struct http_stream *stream);
bool http_stream_ended(const struct http_stream *stream);
void http_stream_close(struct http_stream *stream);

#endif
