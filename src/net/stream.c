#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http.h"
#include "net/transfer.h"

/* How much more than one line a stream may hold before its server has to wait. */
enum { BACKLOG = 256 << 10 };

/* The transfer comes first: curl's callbacks get its address. */
struct http_stream {
	struct transfer transfer;
	struct buf pending;
	size_t start;	/* of the first line that was not taken yet */
	size_t scanned; /* up to here there is no newline after start */
	size_t line_maximum;
	bool paused;
	bool line_too_long;
};

static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct http_stream *stream = data;
	size_t length = size * count;
	if (stream->pending.length - stream->start > stream->line_maximum + BACKLOG) {
		stream->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_add(&stream->pending, bytes, length);
	return stream->pending.overflow ? 0 : length;
}

int http_stream_open(struct http_client *client, const struct http_request *request,
	size_t line_maximum, struct http_stream **ret, struct err *err)
{
	struct http_stream *stream = mem_alloc(1, sizeof(*stream));
	stream->transfer.client = client;
	stream->transfer.write = take_bytes;
	stream->line_maximum = line_maximum;
	/* Taken lines stay in the buffer until the next wait, hence twice. */
	stream->pending = (struct buf)BUF_INIT(2 * (line_maximum + BACKLOG + CURL_MAX_WRITE_SIZE));
	int code = transfer_start(&stream->transfer, request, err);
	if (code != 0) {
		http_stream_close(stream);
		return code;
	}
	*ret = stream;
	return 0;
}

void http_stream_close(struct http_stream *stream)
{
	if (stream == NULL)
		return;
	transfer_stop(&stream->transfer);
	buf_release(&stream->pending);
	free(stream);
}

/* The end of the next line, its newline, or NULL. Notes a line that is too long. */
static char *find_newline(struct http_stream *stream)
{
	struct buf *pending = &stream->pending;
	if (pending->length == stream->scanned)
		return NULL;
	char *newline =
		memchr(pending->text + stream->scanned, '\n', pending->length - stream->scanned);
	stream->scanned = newline != NULL ? (size_t)(newline - pending->text) : pending->length;
	if (stream->scanned - stream->start > stream->line_maximum)
		stream->line_too_long = true;
	return stream->line_too_long ? NULL : newline;
}

static bool is_finished(const struct http_stream *stream)
{
	return stream->transfer.done || stream->line_too_long;
}

/* A line that can be taken, or the end. */
static bool is_ready(struct http_stream *stream)
{
	return find_newline(stream) != NULL || is_finished(stream);
}

const char *http_stream_line(struct http_stream *stream)
{
	struct buf *pending = &stream->pending;
	char *end = find_newline(stream);
	bool rest = stream->transfer.done && stream->start < pending->length;
	if (stream->line_too_long || (end == NULL && !rest))
		return NULL;
	const char *line = pending->text + stream->start;
	if (end != NULL)
		*end = '\0';
	stream->start = end != NULL ? (size_t)(end - pending->text) + 1 : pending->length;
	stream->scanned = stream->start;
	return line;
}

static void make_room(struct http_stream *stream)
{
	buf_remove_front(&stream->pending, stream->start);
	stream->scanned -= stream->start;
	stream->start = 0;
	if (stream->paused && stream->pending.length <= stream->line_maximum) {
		stream->paused = false;
		(void)curl_easy_pause(stream->transfer.easy, CURLPAUSE_CONT);
	}
}

/* The index of a stream that is ready, looked for in turn; count where there is none. */
static size_t find_ready(
	struct http_client *client, struct http_stream *const *streams, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t index = (client->turn + i) % count;
		if (streams[index] != NULL && is_ready(streams[index])) {
			client->turn = index + 1;
			return index;
		}
	}
	return count;
}

int http_streams_wait(struct http_client *client, struct http_stream *const *streams, size_t count,
	int64_t timeout_ms, size_t *ret_index, struct err *err)
{
	int64_t end = clock_monotonic_ms() + timeout_ms;
	for (;;) {
		size_t ready = find_ready(client, streams, count);
		if (ready < count) {
			*ret_index = ready;
			return 1;
		}
		for (size_t i = 0; i < count; i++)
			if (streams[i] != NULL)
				make_room(streams[i]);
		int code = client_pump(client, err);
		if (code != 0)
			return code;
		if (find_ready(client, streams, count) < count)
			continue;
		int64_t rest = end - clock_monotonic_ms();
		if (rest <= 0)
			return 0;
		code = client_wait(client, rest, err);
		if (code != 0)
			return code;
	}
}

int http_stream_status(const struct http_stream *stream)
{
	long status = 0;
	(void)curl_easy_getinfo(stream->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

bool http_stream_ended(const struct http_stream *stream)
{
	bool all_taken = stream->start == stream->pending.length;
	return stream->line_too_long || (stream->transfer.done && all_taken);
}

int http_stream_failure(const struct http_stream *stream, struct err *err)
{
	if (stream->line_too_long || stream->pending.overflow)
		return err_set(err, ERR_FAILED,
			"the server %s sent a line longer than the limit of %zu bytes",
			stream->transfer.host, stream->line_maximum);
	return transfer_failure(&stream->transfer, err);
}
