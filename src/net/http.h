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
	const volatile sig_atomic_t *interrupted; /* or NULL */
};

struct http_request {
	const char *method; /* "GET" … */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	const char *body;	    /* or NULL; not for streams */
	size_t body_length;
	int64_t timeout_ms; /* for this request or stream; 0: the client's, and none for streams */
};

struct http_response {
	int status;
	struct buf body;
	int retry_after_seconds; /* 0 when the server named none */
	struct buf warnings;	 /* the texts of Warning headers with code 299, one a line */
};

/* Copies what it needs of the options. No redirects are followed, no .netrc is read, TLS is 1.2 or
 * newer. Proxies: proxy_url, else those of the environment (https_proxy, no_proxy), never for
 * loopback addresses. */
int http_client_new(const struct http_options *options, struct http_client **ret, struct err *err);
void http_client_free(struct http_client *client); /* NULL-safe; wipes keys from memory */

/* One request. Any HTTP status is success here; a code means that no complete answer came:
 * ERR_UNAVAILABLE (network, timeout), ERR_INTERRUPTED, ERR_FAILED (TLS, answer too large).
 * A request with a body is never sent twice.
 * maximum: bytes of body at most. */
int http_perform(struct http_client *client, const struct http_request *request, size_t maximum,
	struct http_response *ret, struct err *err);
void http_response_release(struct http_response *response);

/* Whether the last http_perform that failed may have reached the server all the same. False when
 * there was no connection to send it over. */
bool http_client_was_sent(const struct http_client *client);

/* Waits that long; ERR_INTERRUPTED when the client's flag is set. */
int http_client_sleep(struct http_client *client, int64_t ms, struct err *err);

/* Long answers that are read line by line as they come (watches). Several may be open at once. */
int http_stream_open(struct http_client *client, const struct http_request *request,
	size_t line_maximum, struct http_stream **ret, struct err *err);

/* Waits until any of the streams has a line, has ended, or the time has passed. Returns 1 with the
 * index, 0 at the timeout, or ERR_INTERRUPTED. Streams that are NULL are skipped. */
int http_streams_wait(struct http_client *client, struct http_stream *const *streams, size_t count,
	int64_t timeout_ms, size_t *ret_index, struct err *err);

/* The next line that has come, without the newline; NULL when there is none yet. Valid until the
 * next call for this stream or the next wait. What follows the last newline is a line too once the
 * stream has ended. */
const char *http_stream_line(struct http_stream *stream);
/* 0 before the headers came. */
int http_stream_status(const struct http_stream *stream);
/* Whether nothing comes any more and every line was taken. */
bool http_stream_ended(const struct http_stream *stream);
/* How an ended stream ended: 0 as HTTP ends an answer, ERR_UNAVAILABLE (network), ERR_FAILED (TLS,
 * a line too long). */
int http_stream_failure(const struct http_stream *stream, struct err *err);
void http_stream_close(struct http_stream *stream); /* NULL-safe */

#endif
