/*
 * One HTTP exchange on libcurl's multi interface: what whole requests (http.c) and streams
 * (stream.c) have in common. For net/ alone.
 */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include <curl/curl.h>

#include "net/http.h"

struct http_client {
	CURLM *multi;
	char *user_agent, *tls_server_name, *proxy_url;
	struct curl_blob certificate_authority, client_certificate, client_key;
	bool insecure_skip_tls_verify, compression;
	int64_t timeout_ms;
	const volatile sig_atomic_t *interrupted;
	bool was_sent; /* see http_client_was_sent */
	size_t turn;   /* where the next look for a ready stream begins, so that none starves */
};

/* Zero it, set client and the two callbacks, then start. It must not move until it is stopped: curl
 * has its address. */
struct transfer {
	struct http_client *client;
	/* Gets body bytes; as CURLOPT_WRITEFUNCTION, `data` being the transfer. */
	size_t (*write)(char *bytes, size_t size, size_t count, void *data);
	/* Gets header lines, or NULL. */
	size_t (*header)(char *bytes, size_t size, size_t count, void *data);

	CURL *easy;
	struct curl_slist *headers, *connect_to;
	const char *body; /* the request's; what of it was not sent yet */
	size_t body_rest;
	bool done;
	CURLcode result; /* once done */
	char reason[CURL_ERROR_SIZE];
	char host[300]; /* "host:port" for messages */
};

/* Hands the request to curl; nothing is sent before client_pump. */
int transfer_start(struct transfer *transfer, const struct http_request *request, struct err *err);
/* For whole answers: silence is an error, and compression worth its while. After start. */
void transfer_expect_answer(struct transfer *transfer);
/* Ends it at whatever point it is, and frees what start made. */
void transfer_stop(struct transfer *transfer);

/* 0 when it was done without an error, else the code and the message for it. */
int transfer_failure(const struct transfer *transfer, struct err *err);

/* Moves all transfers of the client as far as they go without waiting. */
int client_pump(struct http_client *client, struct err *err);

/* Waits until there is something to do for client_pump, or timeout_ms have passed, or somewhat
 * less. ERR_INTERRUPTED when the client's flag is set. */
int client_wait(struct http_client *client, int64_t timeout_ms, struct err *err);

#endif
