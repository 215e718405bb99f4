#include "net/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	CONNECT_TIMEOUT_MS = 30000,
	KEEPALIVE_SECONDS = 30,
	/* A server that takes a request and then sends nothing for so long is gone. */
	SILENCE_SECONDS = 120,
	/* A signal ends the poll, but only when it comes during it, and to this thread (curl
	 * resolves names in another): this bounds how late the flag is seen otherwise. */
	SLICE_MS = 100,
};

/* explicit_bzero before free: a header may be a bearer token. */
static void free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *header = headers; header != NULL; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(headers);
}

static int add_line(struct curl_slist **list, const char *line, struct err *err)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer == NULL)
		return err_set(err, ERR_FAILED, "out of memory");
	*list = longer;
	return 0;
}

static void curl_string_cleanup(char **text)
{
	curl_free(*text);
}

static void url_cleanup(CURLU **url)
{
	curl_url_cleanup(*url);
}

/* Loopback is never reached through a proxy: what kubectl does, and curl does not. */
static bool is_loopback(const char *host)
{
	return str_equal(host, "localhost") || str_starts(host, "127.") || str_equal(host, "[::1]");
}

/* To be verified as another name, the URL gets that name, while the connection and the Host header
 * stay with the host that was asked for. */
static int set_server_name(
	struct transfer *t, CURLU *url, const char *host, const char *port, struct err *err)
{
	AUTO_STRING connect_to = mem_format("::%s:%s", host, port);
	AUTO_STRING host_header = mem_format("Host: %s:%s", host, port);
	if (curl_url_set(url, CURLUPART_HOST, t->client->tls_server_name, 0) != CURLUE_OK)
		return err_set(
			err, ERR_FAILED, "\"%s\" is not a server name", t->client->tls_server_name);
	int code = add_line(&t->connect_to, connect_to, err);
	if (code == 0)
		code = add_line(&t->headers, host_header, err);
	if (code != 0)
		return code;
	(void)curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
	return 0;
}

static int set_target(struct transfer *t, const char *text, struct err *err)
{
	CLEANUP(url_cleanup) CURLU *url = curl_url();
	CLEANUP(curl_string_cleanup) char *host = NULL;
	CLEANUP(curl_string_cleanup) char *port = NULL;
	CLEANUP(curl_string_cleanup) char *final = NULL;
	CURLUcode bad = curl_url_set(url, CURLUPART_URL, text, 0);
	if (bad == CURLUE_OK)
		bad = curl_url_get(url, CURLUPART_HOST, &host, 0);
	if (bad == CURLUE_OK)
		bad = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
	if (bad != CURLUE_OK)
		return err_set(
			err, ERR_FAILED, "the server's URL is wrong: %s", curl_url_strerror(bad));
	(void)snprintf(t->host, sizeof(t->host), "%s:%s", host, port);

	if (t->client->tls_server_name != NULL) {
		int code = set_server_name(t, url, host, port, err);
		if (code != 0)
			return code;
	}
	if (curl_url_get(url, CURLUPART_URL, &final, 0) != CURLUE_OK ||
		curl_easy_setopt(t->easy, CURLOPT_URL, final) != CURLE_OK)
		return err_set(err, ERR_FAILED, "the server's URL is wrong");

	if (t->client->proxy_url != NULL)
		(void)curl_easy_setopt(t->easy, CURLOPT_PROXY, t->client->proxy_url);
	else if (is_loopback(host))
		(void)curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
	return 0;
}

static int set_tls(struct transfer *t, struct err *err)
{
	struct http_client *client = t->client;
	CURL *easy = t->easy;
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (bad == CURLE_OK && client->insecure_skip_tls_verify) {
		bad = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		if (bad == CURLE_OK)
			bad = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (bad == CURLE_OK && client->certificate_authority.data != NULL) {
		/* The system's authorities would count beside the cluster's otherwise. */
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		bad = curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &client->certificate_authority);
	}
	if (bad == CURLE_OK && client->client_certificate.data != NULL)
		bad = curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &client->client_certificate);
	if (bad == CURLE_OK && client->client_key.data != NULL)
		bad = curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &client->client_key);
	if (bad != CURLE_OK)
		return err_set(err, ERR_FAILED, "TLS: %s", curl_easy_strerror(bad));
	return 0;
}

static void set_behaviour(struct transfer *t, int64_t timeout_ms)
{
	CURL *easy = t->easy;
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->reason);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, t->write);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	if (t->header != NULL) {
		(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, t->header);
		(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	}
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_SECONDS);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_SECONDS / 2);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	if (timeout_ms > 0)
		(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	if (t->client->user_agent != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, t->client->user_agent);
}

void transfer_expect_answer(struct transfer *t)
{
	(void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_SECONDS);
	if (t->client->compression)
		(void)curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

static size_t give_body(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t length = size * count < t->body_rest ? size * count : t->body_rest;
	if (length > 0)
		memcpy(bytes, t->body, length);
	t->body += length;
	t->body_rest -= length;
	return length;
}

/* When a kept connection turns out to be dead, curl sends a request again over a new one. What has
 * a body is a write, which the server may have done already: that is for the caller to find out, so
 * no body is given twice. */
static int refuse_rewind(void *data, curl_off_t offset, int origin)
{
	(void)data;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

static void set_body(struct transfer *t, const struct http_request *request)
{
	t->body = request->body != NULL ? request->body : "";
	t->body_rest = request->body != NULL ? request->body_length : 0;
	(void)curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_rest);
	(void)curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, give_body);
	(void)curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, refuse_rewind);
	(void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static int set_message(struct transfer *t, const struct http_request *request, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && request->headers != NULL && request->headers[i] != NULL;
		i++) {
		/* A line break in a value would make a second header of it. */
		if (strpbrk(request->headers[i], "\r\n") != NULL)
			return err_set(err, ERR_FAILED, "a line break in the header \"%.*s\"",
				(int)strcspn(request->headers[i], ":\r\n"), request->headers[i]);
		code = add_line(&t->headers, request->headers[i], err);
	}
	/* No pause before larger bodies to ask whether they are wanted. */
	if (code == 0)
		code = add_line(&t->headers, "Expect:", err);
	if (code != 0)
		return code;
	(void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	if (!str_equal(request->method, "GET") || request->body != NULL)
		set_body(t, request);
	return 0;
}

int transfer_start(struct transfer *t, const struct http_request *request, struct err *err)
{
	t->easy = curl_easy_init();
	if (t->easy == NULL)
		return err_set(err, ERR_FAILED, "libcurl cannot be initialised");
	set_behaviour(t, request->timeout_ms);
	int code = set_target(t, request->url, err);
	if (code == 0)
		code = set_tls(t, err);
	if (code == 0)
		code = set_message(t, request, err);
	if (code == 0 && curl_multi_add_handle(t->client->multi, t->easy) != CURLM_OK)
		code = err_set(err, ERR_FAILED, "libcurl does not take the request");
	if (code != 0)
		transfer_stop(t);
	return code;
}

void transfer_stop(struct transfer *t)
{
	if (t->easy != NULL) {
		/* Do not wait for a name that is still being looked up. */
		if (!t->done)
			(void)curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
		(void)curl_multi_remove_handle(t->client->multi, t->easy);
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
	}
	free_headers(t->headers);
	t->headers = NULL;
	curl_slist_free_all(t->connect_to);
	t->connect_to = NULL;
}

static int connection_failure(const struct transfer *t, const char *reason, struct err *err)
{
	long system_error = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &system_error);
	if (t->result == CURLE_COULDNT_CONNECT && system_error == ECONNREFUSED)
		return err_set(err, ERR_UNAVAILABLE,
			"The connection to the server %s was refused - did you specify the right "
			"host or port?",
			t->host);
	return err_set(err, ERR_UNAVAILABLE, "Unable to connect to the server: %s", reason);
}

int transfer_failure(const struct transfer *t, struct err *err)
{
	const char *reason = t->reason[0] != '\0' ? t->reason : curl_easy_strerror(t->result);
	switch (t->result) {
	case CURLE_OK:
		return 0;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		/* These stay wrong however often they are tried. */
		return err_set(err, ERR_FAILED, "Unable to connect to the server: %s", reason);
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PROXY:
		return connection_failure(t, reason, err);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_UNAVAILABLE, "The server %s did not answer in time (%s)",
			t->host, reason);
	case CURLE_SEND_FAIL_REWIND:
		/* refuse_rewind() */
		return err_set(err, ERR_UNAVAILABLE,
			"The connection to the server %s was lost before it answered", t->host);
	default:
		return err_set(err, ERR_UNAVAILABLE, "The connection to the server %s was lost: %s",
			t->host, reason);
	}
}

int client_pump(struct http_client *client, struct err *err)
{
	int running, waiting;
	CURLMcode bad = curl_multi_perform(client->multi, &running);
	if (bad != CURLM_OK)
		return err_set(err, ERR_FAILED, "libcurl: %s", curl_multi_strerror(bad));
	CURLMsg *message;
	while ((message = curl_multi_info_read(client->multi, &waiting)) != NULL) {
		struct transfer *t = NULL;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		if (message->msg != CURLMSG_DONE || t == NULL)
			continue;
		t->done = true;
		t->result = message->data.result;
	}
	return 0;
}

int client_wait(struct http_client *client, int64_t timeout_ms, struct err *err)
{
	int slice = timeout_ms < SLICE_MS ? (int)timeout_ms : SLICE_MS;
	if (client->interrupted == NULL || *client->interrupted == 0)
		(void)curl_multi_poll(client->multi, NULL, 0, slice > 0 ? slice : 0, NULL);
	if (client->interrupted != NULL && *client->interrupted != 0)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	return 0;
}
