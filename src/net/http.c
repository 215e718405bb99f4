#include "net/http.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/transfer.h"
#include "net/warning.h"

enum { WARNINGS_MAXIMUM = 64 << 10 };

static struct curl_blob copy_blob(struct http_blob blob)
{
	if (blob.bytes == NULL || blob.length == 0)
		return (struct curl_blob){0};
	void *copy = mem_alloc(blob.length, 1);
	memcpy(copy, blob.bytes, blob.length);
	/* Our copy lives as long as the client, so curl needs none of its own. */
	return (struct curl_blob){.data = copy, .len = blob.length, .flags = CURL_BLOB_NOCOPY};
}

static void wipe_blob(struct curl_blob *blob)
{
	if (blob->data != NULL)
		explicit_bzero(blob->data, blob->len);
	free(blob->data);
}

/* kubectl lets a SOCKS proxy resolve the names; curl does that for another scheme. */
static char *proxy_for_curl(const char *url)
{
	static const char SOCKS[] = "socks5://";
	if (str_starts(url, SOCKS))
		return mem_format("socks5h://%s", url + strlen(SOCKS));
	return mem_strdup(str_empty(url) ? NULL : url);
}

int http_client_new(const struct http_options *options, struct http_client **ret, struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_FAILED, "libcurl cannot be initialised");
	CURLM *multi = curl_multi_init();
	if (multi == NULL) {
		curl_global_cleanup();
		return err_set(err, ERR_FAILED, "libcurl cannot be initialised");
	}
	struct http_client *client = mem_alloc(1, sizeof(*client));
	client->multi = multi;
	client->user_agent = mem_strdup(options->user_agent);
	client->tls_server_name =
		mem_strdup(str_empty(options->tls_server_name) ? NULL : options->tls_server_name);
	client->proxy_url = proxy_for_curl(options->proxy_url);
	client->certificate_authority = copy_blob(options->certificate_authority);
	client->client_certificate = copy_blob(options->client_certificate);
	client->client_key = copy_blob(options->client_key);
	client->insecure_skip_tls_verify = options->insecure_skip_tls_verify;
	client->compression = options->compression;
	client->timeout_ms = options->timeout_ms;
	client->interrupted = options->interrupted;
	*ret = client;
	return 0;
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	(void)curl_multi_cleanup(client->multi);
	curl_global_cleanup();
	wipe_blob(&client->certificate_authority);
	wipe_blob(&client->client_certificate);
	wipe_blob(&client->client_key);
	free(client->user_agent);
	free(client->tls_server_name);
	free(client->proxy_url);
	free(client);
}

/* The transfer comes first: curl's callbacks get its address. */
struct exchange {
	struct transfer transfer;
	struct http_response response;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct exchange *exchange = data;
	buf_add(&exchange->response.body, bytes, size * count);
	return exchange->response.body.overflow ? 0 : size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *data)
{
	static const char WARNING[] = "warning:";
	struct exchange *exchange = data;
	size_t length = size * count;
	if (length > strlen(WARNING) && strncasecmp(bytes, WARNING, strlen(WARNING)) == 0)
		warning_parse(bytes + strlen(WARNING), length - strlen(WARNING),
			&exchange->response.warnings);
	return length;
}

static int run(struct transfer *transfer, struct err *err)
{
	for (;;) {
		int code = client_pump(transfer->client, err);
		if (code != 0 || transfer->done)
			return code;
		code = client_wait(transfer->client, INT_MAX, err);
		if (code != 0)
			return code;
	}
}

static int conclude(struct exchange *exchange, size_t maximum, struct err *err)
{
	CURL *easy = exchange->transfer.easy;
	struct http_response *response = &exchange->response;
	if (response->body.overflow)
		return err_set(err, ERR_FAILED,
			"the answer of the server %s is longer than the limit of %zu bytes",
			exchange->transfer.host, maximum);
	int code = transfer_failure(&exchange->transfer, err);
	if (code != 0)
		return code;
	long status = 0;
	curl_off_t retry_after = 0;
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
	response->status = (int)status;
	response->retry_after_seconds = retry_after > INT_MAX ? INT_MAX : (int)retry_after;
	return 0;
}

int http_perform(struct http_client *client, const struct http_request *request, size_t maximum,
	struct http_response *ret, struct err *err)
{
	struct exchange exchange = {
		.transfer = {.client = client, .write = take_body, .header = take_header},
		.response = {.body = BUF_INIT(maximum), .warnings = BUF_INIT(WARNINGS_MAXIMUM)},
	};
	struct http_request timed = *request;
	if (timed.timeout_ms == 0)
		timed.timeout_ms = client->timeout_ms;

	client->was_sent = false;
	int code = transfer_start(&exchange.transfer, &timed, err);
	if (code == 0) {
		transfer_expect_answer(&exchange.transfer);
		code = run(&exchange.transfer, err);
		curl_off_t pretransfer = 0;
		(void)curl_easy_getinfo(
			exchange.transfer.easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
		client->was_sent = pretransfer > 0;
		if (code == 0)
			code = conclude(&exchange, maximum, err);
		transfer_stop(&exchange.transfer);
	}
	if (code != 0)
		http_response_release(&exchange.response);
	else
		*ret = exchange.response;
	return code;
}

void http_response_release(struct http_response *response)
{
	if (response == NULL)
		return;
	buf_release(&response->body);
	buf_release(&response->warnings);
}

bool http_client_was_sent(const struct http_client *client)
{
	return client->was_sent;
}

int http_client_sleep(struct http_client *client, int64_t ms, struct err *err)
{
	int64_t end = clock_monotonic_ms() + ms;
	for (;;) {
		int64_t rest = end - clock_monotonic_ms();
		int code = client_pump(client, err);
		if (code == 0)
			code = client_wait(client, rest > 0 ? rest : 0, err);
		if (code != 0 || rest <= 0)
			return code;
	}
}
