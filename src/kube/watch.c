/*
 * One watch over several lists: a stream of events for each query.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kube/internal.h"
#include "kube/status.h"
#include "kube/url.h"

#define LINE_MAXIMUM ((size_t)4 << 20)
#define WATCH_SECONDS "300"

enum {
	/* A stream that is silent beyond its agreed end is dead, though nobody told us. */
	STREAM_TIMEOUT_MS = (300 + 30) * 1000,
	/* So often may a stream end at once, without a line, before that is taken for an outage. */
	MAXIMUM_EMPTY_ENDS = 5,
	AT_ONCE_MS = 1000,
	REFUSAL_MAXIMUM = 1 << 20,
};

struct subscription {
	char *path; /* without the resource version */
	char *version;
	int64_t opened_ms;
	int empty_ends;
	struct buf refusal; /* the answer to a watch that was refused */
};

struct watch {
	struct kube_client *client;
	size_t count;
	struct subscription *subscriptions;
	struct http_stream **streams; /* parallel to subscriptions */
};

static int open_stream(struct watch *watch, size_t index, struct err *err)
{
	struct kube_client *client = watch->client;
	struct subscription *subscription = &watch->subscriptions[index];
	AUTO_BUF url = BUF_INIT(BUF_OWN_TEXT);
	buf_addf(&url, "%s%s", client->server, subscription->path);
	url_add_parameter(&url, "resourceVersion", subscription->version);
	struct kube_headers headers;
	int code = kube_headers_make(client, NULL, &headers, err);
	if (code != 0)
		return code;
	struct http_request request = {
		.method = "GET",
		.url = buf_text(&url),
		.headers = headers.lines,
		.timeout_ms = STREAM_TIMEOUT_MS,
	};
	code = http_stream_open(client->http, &request, LINE_MAXIMUM, &watch->streams[index], err);
	kube_headers_release(&headers);
	subscription->opened_ms = clock_monotonic_ms();
	kube_trace(client, "WATCH", buf_text(&url), 0, 0);
	return code;
}

static void close_stream(struct watch *watch, size_t index)
{
	http_stream_close(watch->streams[index]);
	watch->streams[index] = NULL;
}

static void subscribe(
	struct subscription *subscription, const struct query *query, const char *version)
{
	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	url_add_query(&path, query);
	url_add_parameter(&path, "watch", "1");
	url_add_parameter(&path, "allowWatchBookmarks", "true");
	url_add_parameter(&path, "timeoutSeconds", WATCH_SECONDS);
	subscription->path = buf_take(&path);
	subscription->version = mem_strdup(version);
	subscription->refusal = (struct buf)BUF_INIT(REFUSAL_MAXIMUM);
}

int kube_watch_open(void *context, const struct query *queries, const json *const *lists,
	size_t count, struct watch **ret, struct err *err)
{
	struct watch *watch = mem_alloc(1, sizeof(*watch));
	watch->client = context;
	watch->count = count;
	watch->subscriptions = mem_alloc(count, sizeof(*watch->subscriptions));
	watch->streams = mem_alloc(count, sizeof(struct http_stream *));
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		const char *version = object_version(lists[i]);
		if (str_empty(version))
			code = err_set(err, ERR_FAILED, "the list of %s has no resourceVersion",
				queries[i].kind->plural);
		else
			subscribe(&watch->subscriptions[i], &queries[i], version);
		if (code == 0)
			code = open_stream(watch, i, err);
	}
	if (code != 0) {
		kube_watch_close(watch);
		return code;
	}
	*ret = watch;
	return 0;
}

void kube_watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->count; i++) {
		close_stream(watch, i);
		free(watch->subscriptions[i].path);
		free(watch->subscriptions[i].version);
		buf_release(&watch->subscriptions[i].refusal);
	}
	free(watch->subscriptions);
	free(watch->streams);
	free(watch);
}

/* Collects the answer of a server that refuses the watch; at its end that is the error. */
static int take_refusal(struct watch *watch, size_t index, struct err *err)
{
	struct http_stream *stream = watch->streams[index];
	struct buf *refusal = &watch->subscriptions[index].refusal;
	for (const char *line; (line = http_stream_line(stream)) != NULL;) {
		buf_add_text(refusal, line);
		buf_add_char(refusal, '\n');
	}
	if (!http_stream_ended(stream))
		return 0;
	/* The status says it all even where the connection broke before the body was complete. */
	return status_error(http_stream_status(stream), buf_text(refusal), refusal->length, err);
}

/* A stream has ended: goes on from the last version that was seen. */
static int reopen(struct watch *watch, size_t index, struct err *err)
{
	struct http_stream *stream = watch->streams[index];
	int code = http_stream_failure(stream, err);
	if (code != 0)
		return code;
	struct subscription *subscription = &watch->subscriptions[index];
	if (clock_monotonic_ms() - subscription->opened_ms >= AT_ONCE_MS)
		subscription->empty_ends = 0;
	if (++subscription->empty_ends > MAXIMUM_EMPTY_ENDS)
		return err_set(err, ERR_UNAVAILABLE, "the server keeps ending the watch");
	close_stream(watch, index);
	return open_stream(watch, index, err);
}

/* Handles one line. Returns 1 with an event for the caller, 0 when there is none in it, or a code.
 */
static int take_line(
	struct subscription *subscription, const char *line, json **ret_event, struct err *err)
{
	if (line[0] == '\0')
		return 0;
	AUTO_JSON event = NULL;
	if (json_parse(line, strlen(line), &event, err) != 0)
		return err_set(
			err, ERR_UNAVAILABLE, "the server broke off in the middle of an event");
	const char *type = json_get_text(event, "type");
	const json *object = json_get(event, "object");
	if (str_equal(type, "ERROR"))
		return status_object_error(object, err);
	const char *version = object_version(object);
	if (version != NULL) {
		free(subscription->version);
		subscription->version = mem_strdup(version);
		subscription->empty_ends = 0;
	}
	if (!str_equal(type, "ADDED") && !str_equal(type, "MODIFIED") &&
		!str_equal(type, "DELETED"))
		return 0;
	*ret_event = event;
	event = NULL;
	return 1;
}

/* The same for what is ready on a stream: a line, or its end. */
static int take(struct watch *watch, size_t index, json **ret_event, struct err *err)
{
	struct http_stream *stream = watch->streams[index];
	int status = http_stream_status(stream);
	if (status != 0 && (status < 200 || status >= 300))
		return take_refusal(watch, index, err);
	const char *line = http_stream_line(stream);
	if (line != NULL)
		return take_line(&watch->subscriptions[index], line, ret_event, err);
	return http_stream_ended(stream) ? reopen(watch, index, err) : 0;
}

int kube_watch_next(struct watch *watch, int64_t timeout_ms, size_t *ret_index, json **ret_event,
	struct err *err)
{
	int64_t end = clock_monotonic_ms() + timeout_ms;
	for (;;) {
		int64_t rest = end - clock_monotonic_ms();
		size_t index = 0;
		int code = http_streams_wait(watch->client->http, watch->streams, watch->count,
			rest > 0 ? rest : 0, &index, err);
		if (code <= 0)
			return code;
		code = take(watch, index, ret_event, err);
		if (code == 1)
			*ret_index = index;
		if (code != 0)
			return code;
	}
}
