#include "unit/kube/fixture.h"

static struct watch *watch(struct fixture *f, const struct query *queries, size_t count)
{
	AUTO_JSON from = parse("{\"metadata\":{\"resourceVersion\":\"5\"}}");
	const json *lists[] = {from, from};
	struct watch *opened = NULL;
	assert_int_equal(
		f->port.watch_open(f->port.context, queries, lists, count, &opened, &f->err), 0);
	return opened;
}

static void expect_event(
	struct fixture *f, struct watch *opened, size_t index, const char *type, const char *name)
{
	AUTO_JSON event = NULL;
	size_t found = 99;
	struct err err = {0};
	int code = f->port.watch_next(opened, 10000, &found, &event, &err);
	if (code != 1)
		fail_msg("%d: %s", code, err.message);
	assert_int_equal(found, index);
	assert_string_equal(json_get_text(event, "type"), type);
	assert_string_equal(object_name(json_get(event, "object")), name);
}

static void watches_and_goes_on(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 200,
				.chunked = true,
				.body = "{\"type\":\"ADDED\",\"object\":" CONFIG_MAP("a", "6",
					"x") "}\n"
					     "{\"type\":\"BOOKMARK\",\"object\":{"
					     "\"metadata\":{\"resourceVersion\":\"8\"}}}\n"},
			{.status = 200,
				.chunked = true,
				.body = "{\"type\":\"DELETED\",\"object\":" CONFIG_MAP(
					"a", "9", "x") "}\n"},
			{.status = 200,
				.chunked = true,
				.body = "{\"type\":\"ERROR\",\"object\":" STATUS(
					"410", "Expired") "}\n"},
		},
		3);
	struct watch *opened = watch(&f, &ALL, 1);
	expect_event(&f, opened, 0, "ADDED", "a");
	expect_event(&f, opened, 0, "DELETED", "a");
	json *event = NULL;
	size_t index = 99;
	assert_int_equal(f.port.watch_next(opened, 10000, &index, &event, &f.err), ERR_EXPIRED);
	assert_string_equal(f.err.message, "Error from server (Expired): said");
	assert_null(event);
	assert_int_equal(index, 99);
	f.port.watch_close(opened);
	kube_client_free(f.client);
	server_stop(&f.server);
	static const char *const VERSIONS[] = {"5", "8", "9"};
	for (size_t i = 0; i < COUNT_OF(VERSIONS); i++) {
		AUTO_STRING line = mem_format(
			"GET /api/v1/namespaces/n/configmaps?watch=1&allowWatchBookmarks=true"
			"&timeoutSeconds=300&resourceVersion=%s HTTP/1.1\r\n",
			VERSIONS[i]);
		assert_contains(f.server.requests[i], line);
	}
	server_release(&f.server);
}

/* A watch whose answer ends is opened again: which of the two gets the server's next answer is for
 * the processors to say. */
static void watches_several_queries(void **state)
{
	(void)state;
	enum { EVENTS = 8 };
	struct fixture f;
	struct answer answers[EVENTS + 1];
	for (int i = 0; i < EVENTS; i++)
		answers[i] = (struct answer){.status = 200,
			.chunked = true,
			.body = "{\"type\":\"MODIFIED\",\"object\":" CONFIG_MAP(
				"a", "6", "x") "}\n"};
	answers[EVENTS] = (struct answer){.status = 200, .hold = true};
	begin(&f, answers, EVENTS + 1);
	struct query queries[] = {ALL, {.kind = &KIND_POD, .namespace = "n"}};
	struct watch *opened = watch(&f, queries, 2);
	bool seen[2] = {false};
	for (int i = 0; i < EVENTS; i++) {
		AUTO_JSON event = NULL;
		size_t index = 99;
		assert_int_equal(f.port.watch_next(opened, 10000, &index, &event, &f.err), 1);
		assert_true(index < 2);
		seen[index] = true;
	}
	assert_true(seen[0] && seen[1]);
	json *event = NULL;
	size_t index = 99;
	assert_int_equal(f.port.watch_next(opened, 10, &index, &event, &f.err), 0);
	f.port.watch_close(opened);
	end(&f);
}

static void check_watch_fault(const struct answer *answer, int code, const char *part)
{
	struct fixture f;
	begin(&f, answer, 1);
	struct watch *opened = watch(&f, &ALL, 1);
	json *event = NULL;
	size_t index = 99;
	assert_int_equal(f.port.watch_next(opened, 10000, &index, &event, &f.err), code);
	assert_contains(f.err.message, part);
	f.port.watch_close(opened);
	end(&f);
}

static void says_why_a_watch_ends(void **state)
{
	(void)state;
	check_watch_fault(&(struct answer){.status = 410, .body = STATUS("410", "Expired")},
		ERR_EXPIRED, "Error from server (Expired): said");
	check_watch_fault(&(struct answer){.status = 403,
				  .body = "{\n\"kind\":\"Status\",\n"
					  "\"reason\":\"Forbidden\"}"},
		ERR_FORBIDDEN, "Error from server (Forbidden): the server gave no message");
	check_watch_fault(&(struct answer){.status = 404}, ERR_NOT_FOUND, "could not find");
	check_watch_fault(&(struct answer){.status = 0}, ERR_UNAVAILABLE, " was lost: ");
	check_watch_fault(
		&(struct answer){
			.status = 200, .chunked = true, .body = "{\"type\":\"ADDED\",\"obj"},
		ERR_UNAVAILABLE, "in the middle of an event");
	check_watch_fault(
		&(struct answer){.status = 200, .body = "{\"type\":\"BOOKMARK\"}\n", .cut = true},
		ERR_UNAVAILABLE, " was lost: ");
}

static void ends_a_watch_that_never_gives_anything(void **state)
{
	(void)state;
	struct fixture f;
	struct answer nothing = {.status = 200};
	begin(&f, (struct answer[]){nothing, nothing, nothing, nothing, nothing, nothing}, 6);
	struct watch *opened = watch(&f, &ALL, 1);
	json *event = NULL;
	size_t index = 99;
	assert_int_equal(f.port.watch_next(opened, 10000, &index, &event, &f.err), ERR_UNAVAILABLE);
	assert_contains(f.err.message, "keeps ending the watch");
	f.port.watch_close(opened);
	end(&f);
}

/* The header lines of a client that would talk to an https server. */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(watches_and_goes_on),
		cmocka_unit_test(watches_several_queries),
		cmocka_unit_test(says_why_a_watch_ends),
		cmocka_unit_test(ends_a_watch_that_never_gives_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
