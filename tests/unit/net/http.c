#include "net/http.h"

#include "unit/net/server.h"

#define MAXIMUM 100000

static struct http_client *new_client(const struct http_options *options)
{
	struct err err = {0};
	struct http_client *client = NULL;
	assert_int_equal(http_client_new(options, &client, &err), 0);
	return client;
}

struct fixture {
	struct server server;
	struct http_client *client;
	struct http_response response;
	struct err err;
};

static void begin(struct fixture *f, const struct answer *answers, size_t count)
{
	*f = (struct fixture){0};
	server_start(&f->server, answers, count);
	f->client =
		new_client(&(struct http_options){.user_agent = "tester/1", .compression = true});
}

static void end(struct fixture *f)
{
	http_response_release(&f->response);
	http_client_free(f->client);
	server_release(&f->server);
}

static int get(struct fixture *f, size_t maximum)
{
	struct http_request request = {.method = "GET", .url = f->server.url};
	http_response_release(&f->response);
	return http_perform(f->client, &request, maximum, &f->response, &f->err);
}

static void gets_status_and_body(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 404, .body = "nothing here"}}, 1);
	assert_int_equal(get(&f, MAXIMUM), 0);
	server_stop(&f.server);
	assert_int_equal(f.response.status, 404);
	assert_string_equal(buf_text(&f.response.body), "nothing here");
	assert_int_equal(f.response.retry_after_seconds, 0);
	assert_contains(f.server.requests[0], "GET / HTTP/1.1\r\n");
	assert_contains(f.server.requests[0], "User-Agent: tester/1\r\n");
	end(&f);
}

static void sends_method_headers_and_body(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 201}}, 1);
	const char *headers[] = {"Content-Type: application/json", "X-One: 1", NULL};
	struct http_request request = {.method = "PATCH",
		.url = f.server.url,
		.headers = headers,
		.body = "{\"a\":1}",
		.body_length = 7};
	assert_int_equal(http_perform(f.client, &request, MAXIMUM, &f.response, &f.err), 0);
	server_stop(&f.server);
	assert_int_equal(f.response.status, 201);
	assert_contains(f.server.requests[0], "PATCH / HTTP/1.1\r\n");
	assert_contains(f.server.requests[0], "Content-Type: application/json\r\n");
	assert_contains(f.server.requests[0], "X-One: 1\r\n");
	assert_contains(f.server.requests[0], "\r\n\r\n{\"a\":1}");
	end(&f);
}

static void keeps_the_connection(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200}, {.status = 200}, {.status = 200}}, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(get(&f, MAXIMUM), 0);
	server_stop(&f.server);
	assert_int_equal(f.server.connections, 1);
	end(&f);
}

static void reads_warnings_and_retry_after(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){{.status = 429,
			.headers = "Retry-After: 7\r\nWarning: 299 - \"old \\\"thing\\\"\"\r\n"
				   "warning: 299 - \"a\", 299 - \"b\"\r\n"}},
		1);
	assert_int_equal(get(&f, MAXIMUM), 0);
	server_stop(&f.server);
	assert_int_equal(f.response.retry_after_seconds, 7);
	assert_string_equal(buf_text(&f.response.warnings), "old \"thing\"\na\nb\n");
	end(&f);
}

static void unpacks_gzip(void **state)
{
	(void)state;
	static const char PACKED[] =
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x48\xcd\xc9"
		"\xc9\x57\xb2\x52\x2a\xcf\x2f\xca\x49\x51\xaa\x05\x00\xd1\x41\x09"
		"\xd8\x11\x00\x00\x00";
	struct fixture f;
	begin(&f,
		(struct answer[]){{.status = 200,
			.headers = "Content-Encoding: gzip\r\n",
			.body = PACKED,
			.body_length = sizeof(PACKED) - 1}},
		1);
	assert_int_equal(get(&f, MAXIMUM), 0);
	server_stop(&f.server);
	assert_contains(f.server.requests[0], "Accept-Encoding: gzip\r\n");
	assert_string_equal(buf_text(&f.response.body), "{\"hello\":\"world\"}");
	end(&f);
}

static void refuses_what_is_too_long(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200, .body = "0123456789"}}, 1);
	assert_int_equal(get(&f, 9), ERR_FAILED);
	server_stop(&f.server);
	assert_contains(f.err.message, "longer than the limit of 9 bytes");
	end(&f);
}

static void does_not_follow_redirects(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){{.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"}},
		1);
	assert_int_equal(get(&f, MAXIMUM), 0);
	server_stop(&f.server);
	assert_int_equal(f.response.status, 302);
	end(&f);
}

static void says_when_nobody_listens(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, NULL, 0);
	server_stop(&f.server); /* its port is closed now */
	assert_int_equal(get(&f, MAXIMUM), ERR_UNAVAILABLE);
	assert_contains(f.err.message, "The connection to the server 127.0.0.1:");
	assert_contains(f.err.message, " was refused - did you specify the right host or port?");
	assert_false(http_client_was_sent(f.client));
	end(&f);
}

static void knows_what_may_have_arrived(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 0}, {.status = 200, .body = "ab", .cut = true}}, 2);
	assert_int_equal(get(&f, MAXIMUM), ERR_UNAVAILABLE);
	assert_true(http_client_was_sent(f.client));
	assert_int_equal(get(&f, MAXIMUM), ERR_UNAVAILABLE);
	assert_contains(f.err.message, " was lost: ");
	server_stop(&f.server);
	end(&f);
}

static void sends_no_body_twice(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){{.status = 200}, {.status = 0}, {.status = 200}, {.status = 0},
			{.status = 200}},
		5);
	struct http_request post = {
		.method = "POST", .url = f.server.url, .body = "x", .body_length = 1};
	assert_int_equal(get(&f, MAXIMUM), 0);
	http_response_release(&f.response);
	/* The kept connection ends under the request. */
	assert_int_equal(
		http_perform(f.client, &post, MAXIMUM, &f.response, &f.err), ERR_UNAVAILABLE);
	assert_true(http_client_was_sent(f.client));
	f.response = (struct http_response){0};
	assert_int_equal(get(&f, MAXIMUM), 0);
	/* A read gets over that by itself. */
	assert_int_equal(get(&f, MAXIMUM), 0);
	server_stop(&f.server);
	assert_int_equal(f.server.served, 5);
	end(&f);
}

static void ends_when_interrupted(void **state)
{
	(void)state;
	static volatile sig_atomic_t interrupted;
	struct fixture f = {0};
	interrupted = 0;
	server_start(&f.server,
		(struct answer[]){{.status = 200, .hold = true, .flag = &interrupted}}, 1);
	f.client = new_client(&(struct http_options){.interrupted = &interrupted});
	assert_int_equal(get(&f, MAXIMUM), ERR_INTERRUPTED);
	assert_int_equal(http_client_sleep(f.client, 1000000, &f.err), ERR_INTERRUPTED);
	server_stop(&f.server);
	end(&f);
}

static void ends_in_time(void **state)
{
	(void)state;
	struct fixture f = {0};
	server_start(&f.server, (struct answer[]){{.status = 200, .hold = true}}, 1);
	f.client = new_client(&(struct http_options){.timeout_ms = 20});
	assert_int_equal(get(&f, MAXIMUM), ERR_UNAVAILABLE);
	assert_contains(f.err.message, "did not answer in time");
	server_stop(&f.server);
	end(&f);
}

static void connects_to_the_host_under_another_name(void **state)
{
	(void)state;
	struct fixture f = {0};
	server_start(&f.server, (struct answer[]){{.status = 200}}, 1);
	f.client = new_client(
		&(struct http_options){.tls_server_name = "kubernetes.invalid", .proxy_url = ""});
	assert_int_equal(get(&f, MAXIMUM), 0);
	server_stop(&f.server);
	char host[64];
	(void)snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", f.server.port);
	assert_contains(f.server.requests[0], host);
	end(&f);
}

static void refuses_bad_requests(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, NULL, 0);
	server_stop(&f.server);
	const char *headers[] = {"X: a\r\nInjected: b", NULL};
	struct http_request requests[] = {
		{.method = "GET", .url = f.server.url, .headers = headers},
		{.method = "GET", .url = "file:///etc/passwd"},
		{.method = "GET", .url = "http://"},
	};
	for (size_t i = 0; i < COUNT_OF(requests); i++)
		assert_int_equal(http_perform(f.client, &requests[i], MAXIMUM, &f.response, &f.err),
			ERR_FAILED);
	end(&f);
}

/* Opens a stream and waits for whatever is first. */
static struct http_stream *open_stream(struct fixture *f, size_t line_maximum)
{
	struct http_request request = {.method = "GET", .url = f->server.url};
	struct http_stream *stream = NULL;
	assert_int_equal(http_stream_open(f->client, &request, line_maximum, &stream, &f->err), 0);
	return stream;
}

static void wait_for(struct fixture *f, struct http_stream *stream)
{
	size_t index = 99;
	struct http_stream *streams[] = {NULL, stream};
	assert_int_equal(http_streams_wait(f->client, streams, 2, 10000, &index, &f->err), 1);
	assert_int_equal(index, 1);
}

static void streams_lines(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200, .body = "one\n\nthree\nrest", .chunked = true}},
		1);
	struct http_stream *stream = open_stream(&f, 100);
	const char *const expected[] = {"one", "", "three", "rest"};
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		const char *line;
		while ((line = http_stream_line(stream)) == NULL)
			wait_for(&f, stream);
		assert_string_equal(line, expected[i]);
	}
	assert_int_equal(http_stream_status(stream), 200);
	assert_null(http_stream_line(stream));
	assert_true(http_stream_ended(stream));
	assert_int_equal(http_stream_failure(stream, &f.err), 0);
	http_stream_close(stream);
	server_stop(&f.server);
	end(&f);
}

static void times_out_on_silent_streams(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200, .body = "half a li", .hold = true}}, 1);
	struct http_stream *stream = open_stream(&f, 100);
	size_t index = 99;
	assert_int_equal(http_streams_wait(f.client, &stream, 1, 20, &index, &f.err), 0);
	assert_int_equal(index, 99);
	assert_false(http_stream_ended(stream));
	http_stream_close(stream);
	server_stop(&f.server);
	end(&f);
}

static void ends_streams_with_lines_too_long(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200, .body = "ok\n0123456789\n", .hold = true}}, 1);
	struct http_stream *stream = open_stream(&f, 9);
	wait_for(&f, stream);
	assert_string_equal(http_stream_line(stream), "ok");
	wait_for(&f, stream);
	assert_null(http_stream_line(stream));
	assert_true(http_stream_ended(stream));
	assert_int_equal(http_stream_failure(stream, &f.err), ERR_FAILED);
	assert_contains(f.err.message, "longer than the limit of 9 bytes");
	http_stream_close(stream);
	server_stop(&f.server);
	end(&f);
}

static void makes_fast_servers_wait(void **state)
{
	(void)state;
	/* Far more than a stream holds at once. */
	enum { LINE = 1000, LINES = 3000, BODY = LINE * LINES };
	char *body = mem_alloc(BODY + 1, 1);
	memset(body, 'x', BODY);
	for (size_t i = 1; i <= LINES; i++)
		body[i * LINE - 1] = '\n';
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200, .body = body, .chunked = true}}, 1);
	struct http_stream *stream = open_stream(&f, LINE);
	size_t lines = 0;
	while (!http_stream_ended(stream)) {
		wait_for(&f, stream);
		for (const char *line; (line = http_stream_line(stream)) != NULL; lines++)
			assert_int_equal(strlen(line), LINE - 1);
	}
	assert_int_equal(lines, LINES);
	assert_int_equal(http_stream_failure(stream, &f.err), 0);
	http_stream_close(stream);
	server_stop(&f.server);
	end(&f);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_status_and_body),
		cmocka_unit_test(sends_method_headers_and_body),
		cmocka_unit_test(keeps_the_connection),
		cmocka_unit_test(reads_warnings_and_retry_after),
		cmocka_unit_test(unpacks_gzip),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(does_not_follow_redirects),
		cmocka_unit_test(says_when_nobody_listens),
		cmocka_unit_test(knows_what_may_have_arrived),
		cmocka_unit_test(sends_no_body_twice),
		cmocka_unit_test(ends_when_interrupted),
		cmocka_unit_test(ends_in_time),
		cmocka_unit_test(connects_to_the_host_under_another_name),
		cmocka_unit_test(refuses_bad_requests),
		cmocka_unit_test(streams_lines),
		cmocka_unit_test(times_out_on_silent_streams),
		cmocka_unit_test(ends_streams_with_lines_too_long),
		cmocka_unit_test(makes_fast_servers_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
