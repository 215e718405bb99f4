#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/internal.h"
#include "kube/status.h"

enum {
	ATTEMPTS = 4,
	FIRST_DELAY_MS = 200, /* doubled for each further attempt */
	/* A server that asks for more patience than this gets its error shown instead. */
	MAXIMUM_RETRY_AFTER_SECONDS = 60,
	/* An attempt that took so long to fail (a name that nobody resolves, a connection into the
	 * void) would fail as slowly again. */
	SLOW_FAILURE_MS = 5000,
	MAXIMUM_WARNINGS = 200,
};

int kube_headers_make(struct kube_client *client, const char *content_type,
	struct kube_headers *ret, struct err *err)
{
	int code = kube_credentials_refresh(&client->credentials, err);
	if (code != 0)
		return code;
	*ret = (struct kube_headers){0};
	ret->lines[ret->count++] = "Accept: application/json";
	if (content_type != NULL) {
		ret->content_type = mem_format("Content-Type: %s", content_type);
		ret->lines[ret->count++] = ret->content_type;
	}
	if (client->credentials.authorization != NULL)
		ret->lines[ret->count++] = client->credentials.authorization;
	for (size_t i = 0; i < client->impersonation.count && ret->count + 1 < COUNT_OF(ret->lines);
		i++)
		ret->lines[ret->count++] = client->impersonation.items[i];
	return 0;
}

void kube_headers_release(struct kube_headers *headers)
{
	free(headers->content_type);
	headers->content_type = NULL;
}

void kube_trace(struct kube_client *client, const char *method, const char *url, int status,
	int64_t milliseconds)
{
	if (client->options.trace == NULL)
		return;
	AUTO_STRING line = mem_format(
		"%s %s %d in %" PRId64 " milliseconds", method, url, status, milliseconds);
	client->options.trace(client->options.context, line);
}

static void show_warnings(struct kube_client *client, const struct buf *warnings)
{
	struct str_list lines;
	str_split(buf_text(warnings), '\n', &lines);
	for (size_t i = 0; i < lines.count; i++) {
		const char *text = lines.items[i];
		if (text[0] == '\0' || client->warned.count >= MAXIMUM_WARNINGS ||
			str_list_has(&client->warned, text))
			continue;
		str_list_add(&client->warned, text);
		if (client->options.warn != NULL)
			client->options.warn(client->options.context, text);
	}
	str_list_release(&lines);
}

static int send_once(struct kube_client *client, const struct kube_request *request,
	struct http_response *ret, struct err *err)
{
	struct kube_headers headers;
	int code = kube_headers_make(client, request->content_type, &headers, err);
	if (code != 0)
		return code;
	AUTO_STRING url = mem_format("%s%s", client->server, request->path);
	struct http_request http = {
		.method = request->method,
		.url = url,
		.headers = headers.lines,
		.body = request->body,
		.body_length = request->body != NULL ? strlen(request->body) : 0,
	};
	int64_t start = clock_monotonic_ms();
	code = http_perform(client->http, &http, KUBE_ANSWER_MAXIMUM, ret, err);
	kube_trace(client, request->method, url, code == 0 ? ret->status : 0,
		clock_monotonic_ms() - start);
	kube_headers_release(&headers);
	return code;
}

static int parse_answer(const struct http_response *response, json **ret, struct err *err)
{
	if (response->status < 200 || response->status >= 300)
		return status_error(
			response->status, buf_text(&response->body), response->body.length, err);
	if (ret == NULL)
		return 0;
	/* A connection that ends within the head of an answer is no error to libcurl. What was
	 * asked for may have been done. */
	if (response->body.length == 0)
		return err_set(
			err, ERR_UNAVAILABLE, "The connection to the server was lost: no answer");
	int code = json_parse(buf_text(&response->body), response->body.length, ret, err);
	return code == 0 ? 0 : err_wrap(err, "the server's answer");
}

/* Whether another attempt is safe, and may help. */
static bool worth_again(struct kube_client *client, const struct kube_request *request, int code,
	const struct http_response *response)
{
	if (code == ERR_UNAVAILABLE && response->status < 300)
		return request->idempotent || !http_client_was_sent(client->http);
	if (response->retry_after_seconds > MAXIMUM_RETRY_AFTER_SECONDS)
		return false;
	/* Whoever says 429 has not begun with the request. */
	return response->status == 429 || (request->idempotent && response->status >= 500);
}

static int sleep_before(struct kube_client *client, int attempt, int retry_after, struct err *err)
{
	int64_t delay = (int64_t)FIRST_DELAY_MS << attempt;
	if (delay < (int64_t)retry_after * 1000)
		delay = (int64_t)retry_after * 1000;
	if (client->options.sleep != NULL)
		return client->options.sleep(client->options.context, delay, err);
	return http_client_sleep(client->http, delay, err);
}

int kube_request(
	struct kube_client *client, const struct kube_request *request, json **ret, struct err *err)
{
	for (int attempt = 0;; attempt++) {
		struct http_response response = {0};
		int64_t start = clock_monotonic_ms();
		int code = send_once(client, request, &response, err);
		if (code == 0) {
			show_warnings(client, &response.warnings);
			code = parse_answer(&response, ret, err);
		}
		bool again = code != 0 && attempt + 1 < ATTEMPTS &&
			     clock_monotonic_ms() - start < SLOW_FAILURE_MS &&
			     worth_again(client, request, code, &response);
		int retry_after = response.retry_after_seconds;
		http_response_release(&response);
		if (!again)
			return code;
		code = sleep_before(client, attempt, retry_after, err);
		if (code != 0)
			return code;
	}
}
