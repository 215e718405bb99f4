#include "kube/client.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "kube/internal.h"
#include "unit/kube/fixture.h"

static int list(struct fixture *f, json **ret)
{
	return f->port.list(f->port.context, &ALL, ret, &f->err);
}

static void lists_in_chunks(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 200,
				.body = "{\"kind\":\"ConfigMapList\",\"metadata\":{"
					"\"resourceVersion\":"
					"\"5\",\"continue\":\"t/1\",\"remainingItemCount\":1},"
					"\"items\":[{\"metadata\":{\"name\":\"a\"}},"
					"{\"metadata\":{\"name\":\"b\"}}]}"},
			{.status = 200,
				.body = "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":["
					"{\"metadata\":{\"name\":\"c\"}}]}"},
		},
		2);
	AUTO_JSON all = NULL;
	assert_int_equal(list(&f, &all), 0);
	AUTO_STRING text = json_print(all);
	assert_string_equal(text,
		"{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":["
		"{\"metadata\":{\"name\":\"a\"},\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"},"
		"{\"metadata\":{\"name\":\"b\"},\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"},"
		"{\"metadata\":{\"name\":\"c\"},\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}]}");
	end(&f);
	assert_contains(f.server.url, "http://127.0.0.1:");
}

static void starts_again_when_chunks_expire(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 200,
				.body = "{\"metadata\":{\"continue\":\"t\"},\"items\":[{}]}"},
			{.status = 410, .body = STATUS("410", "Expired")},
			{.status = 200,
				.body = "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":"
					"null}"},
		},
		3);
	AUTO_JSON all = NULL;
	assert_int_equal(list(&f, &all), 0);
	assert_string_equal(object_version(all), "9");
	assert_int_equal(json_count(list_items(all)), 0);
	assert_true(json_is_array(list_items(all)));
	kube_client_free(f.client);
	f.client = NULL;
	server_stop(&f.server);
	assert_contains(
		f.server.requests[0], "GET /api/v1/namespaces/n/configmaps?limit=500 HTTP/1.1\r\n");
	assert_contains(f.server.requests[1],
		"GET /api/v1/namespaces/n/configmaps?limit=500&continue=t HTTP/1.1\r\n");
	assert_contains(f.server.requests[2], "GET /api/v1/namespaces/n/configmaps HTTP/1.1\r\n");
	assert_contains(f.server.requests[0], "Accept: application/json\r\n");
	server_release(&f.server);
}

static void tries_reads_again(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 0},
			{.status = 503},
			{.status = 429, .headers = "Retry-After: 3\r\n"},
			{.status = 200, .body = "{\"metadata\":{\"resourceVersion\":\"1\"}}"},
		},
		4);
	AUTO_JSON all = NULL;
	assert_int_equal(list(&f, &all), 0);
	assert_int_equal(f.sleeps, 3);
	assert_int_equal(f.slept[0], 200);
	assert_int_equal(f.slept[1], 400);
	assert_int_equal(f.slept[2], 3000);
	end(&f);
}

static void gives_up_at_last(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 500}, {.status = 500}, {.status = 500}, {.status = 500}},
		4);
	AUTO_JSON all = NULL;
	assert_int_equal(list(&f, &all), ERR_UNAVAILABLE);
	assert_contains(f.err.message, "Error from server (InternalError): ");
	assert_null(all);
	end(&f);
	begin(&f, (struct answer[]){{.status = 429, .headers = "Retry-After: 3600\r\n"}}, 1);
	assert_int_equal(list(&f, &all), ERR_UNAVAILABLE);
	assert_int_equal(f.sleeps, 0);
	end(&f);
}

static void refuses_what_is_not_json(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200, .body = "<html>"}}, 1);
	AUTO_JSON all = NULL;
	assert_int_equal(list(&f, &all), ERR_INVALID);
	assert_contains(f.err.message, "the server's answer: not JSON");
	end(&f);
}

static int update(struct fixture *f, const char *before, const char *after, json **ret)
{
	AUTO_JSON old = parse(before);
	AUTO_JSON new = parse(after);
	struct write write = {.verb = WRITE_UPDATE,
		.kind = &KIND_CONFIG_MAP,
		.namespace = "n",
		.name = "a",
		.before = old,
		.after = new};
	return f->port.write(f->port.context, &write, ret, &f->err);
}

static void updates_by_patches(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 200, .body = CONFIG_MAP("a", "8", "new")},
			{.status = 409, .body = STATUS("409", "Conflict")},
		},
		2);
	AUTO_JSON object = NULL;
	assert_int_equal(
		update(&f, CONFIG_MAP("a", "7", "old"), CONFIG_MAP("a", "7", "new"), &object), 0);
	assert_string_equal(object_version(object), "8");
	assert_int_equal(update(&f, CONFIG_MAP("a", "7", "old"), CONFIG_MAP("a", "7", "new"), NULL),
		ERR_CONFLICT);
	/* No difference: nothing is sent. */
	AUTO_JSON same = NULL;
	assert_int_equal(
		update(&f, CONFIG_MAP("a", "7", "old"), CONFIG_MAP("a", "7", "old"), &same), 0);
	assert_string_equal(object_version(same), "7");
	assert_int_equal(update(&f, "{}", "{\"a\":1}", NULL), ERR_FAILED);
	kube_client_free(f.client);
	server_stop(&f.server);
	assert_contains(f.server.requests[0],
		"PATCH /api/v1/namespaces/n/configmaps/a?fieldManager=field%20manager "
		"HTTP/1.1\r\n");
	assert_contains(f.server.requests[0], "Content-Type: application/json-patch+json\r\n");
	assert_contains(f.server.requests[0],
		"\r\n\r\n[{\"op\":\"replace\",\"path\":\"/data/k\",\"value\":\"new\"},"
		"{\"op\":\"add\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"}]");
	server_release(&f.server);
}

#define LIST(items) "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" items "]}"

/* The server applies patches first, and looks at the resourceVersion then. */
static void tells_conflicts_from_refusals(void **state)
{
	(void)state;
	static const struct {
		struct answer answer;
		int code;
		const char *part;
	} CASES[] = {
		{{.status = 200, .body = LIST(CONFIG_MAP("a", "8", "x"))}, ERR_CONFLICT,
			"configmap/a was changed meanwhile"},
		{{.status = 200, .body = LIST("")}, ERR_NOT_FOUND, "configmaps \"a\" not found"},
		{{.status = 200, .body = LIST(CONFIG_MAP("a", "7", "old"))}, ERR_INVALID, "said"},
		{{.status = 403, .body = STATUS("403", "Forbidden")}, ERR_FORBIDDEN, "said"},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct fixture f;
		begin(&f,
			(struct answer[]){
				{.status = 422, .body = STATUS("422", "Invalid")}, CASES[i].answer},
			2);
		int code =
			update(&f, CONFIG_MAP("a", "7", "old"), CONFIG_MAP("a", "7", "new"), NULL);
		assert_int_equal(code, CASES[i].code);
		assert_contains(f.err.message, CASES[i].part);
		end(&f);
	}
}

static int create(struct fixture *f, json **ret)
{
	AUTO_JSON object = object_new(&KIND_CONFIG_MAP, "n", "a");
	struct write write = {.verb = WRITE_CREATE,
		.kind = &KIND_CONFIG_MAP,
		.namespace = "n",
		.name = "a",
		.after = object};
	return f->port.write(f->port.context, &write, ret, &f->err);
}

static void creates_once(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 429},
			{.status = 201, .body = CONFIG_MAP("a", "8", "x")},
			{.status = 409, .body = STATUS("409", "AlreadyExists")},
			{.status = 503},
			{.status = 0},
		},
		5);
	AUTO_JSON object = NULL;
	assert_int_equal(create(&f, &object), 0);
	assert_int_equal(f.sleeps, 1);
	assert_int_equal(create(&f, NULL), ERR_EXISTS);
	/* Whether these were processed is unknown: the caller has to look. */
	assert_int_equal(create(&f, NULL), ERR_UNAVAILABLE);
	assert_int_equal(create(&f, NULL), ERR_UNAVAILABLE);
	assert_int_equal(f.sleeps, 1);
	kube_client_free(f.client);
	server_stop(&f.server);
	assert_contains(f.server.requests[1],
		"POST /api/v1/namespaces/n/configmaps?fieldManager=field%20manager HTTP/1.1\r\n");
	server_release(&f.server);
}

static void deletes_with_preconditions(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, (struct answer[]){{.status = 200, .body = STATUS("200", "")}, {.status = 404}},
		2);
	AUTO_JSON before = parse(CONFIG_MAP("a", "7", "x"));
	struct write write = {.verb = WRITE_DELETE,
		.kind = &KIND_CONFIG_MAP,
		.namespace = "n",
		.name = "a",
		.before = before,
		.propagation = "Foreground"};
	assert_int_equal(f.port.write(f.port.context, &write, NULL, &f.err), 0);
	write.before = NULL;
	assert_int_equal(f.port.write(f.port.context, &write, NULL, &f.err), ERR_NOT_FOUND);
	kube_client_free(f.client);
	server_stop(&f.server);
	assert_contains(
		f.server.requests[0], "DELETE /api/v1/namespaces/n/configmaps/a HTTP/1.1\r\n");
	assert_contains(f.server.requests[0],
		"{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":"
		"\"Foreground\","
		"\"preconditions\":{\"uid\":\"u-a\",\"resourceVersion\":\"7\"}}");
	assert_null(strstr(f.server.requests[1], "preconditions"));
	server_release(&f.server);
}

static void shows_warnings_once(void **state)
{
	(void)state;
	struct fixture f;
	struct answer answer = {
		.status = 200, .headers = "Warning: 299 - \"old\"\r\n", .body = "{}"};
	begin(&f, (struct answer[]){answer, answer}, 2);
	for (int i = 0; i < 2; i++) {
		AUTO_JSON all = NULL;
		assert_int_equal(list(&f, &all), 0);
	}
	assert_int_equal(f.warned.count, 1);
	assert_string_equal(f.warned.items[0], "old");
	end(&f);
}

static void discovers_once(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f,
		(struct answer[]){
			{.status = 200, .body = "{\"resources\":[{\"name\":\"deployments\"}]}"},
			{.status = 404},
			{.status = 403, .body = STATUS("403", "Forbidden")},
		},
		3);
	assert_int_equal(kube_client_serves(f.client, &KIND_DEPLOYMENT, &f.err), 1);
	assert_int_equal(kube_client_serves(f.client, &KIND_REPLICA_SET, &f.err), 0);
	assert_int_equal(kube_client_serves(f.client, &KIND_VIRTUAL_SERVICE, &f.err), 0);
	assert_int_equal(kube_client_serves(f.client, &KIND_DESTINATION_RULE, &f.err), 0);
	assert_int_equal(kube_client_serves(f.client, &KIND_POD, &f.err), ERR_FORBIDDEN);
	assert_contains(f.err.message, "discovery of v1: Error from server (Forbidden): said");
	end(&f);
}

static char *header_text(const struct kube_config *config)
{
	struct kube_client *client = NULL;
	struct kube_headers headers;
	struct buf text = BUF_INIT(BUF_OWN_TEXT);
	assert_int_equal(
		kube_client_new(config, &(struct kube_client_options){0}, &client, NULL), 0);
	assert_int_equal(kube_headers_make(client, "text/x", &headers, NULL), 0);
	for (size_t i = 0; headers.lines[i] != NULL; i++)
		buf_addf(&text, "%s\n", headers.lines[i]);
	kube_headers_release(&headers);
	kube_client_free(client);
	return buf_take(&text);
}

static void authenticates(void **state)
{
	(void)state;
	char server[] = "https://x", token[] = "tok", user[] = "me", password[] = "pw";
	char boss[] = "boss", uid[] = "7", ops[] = "ops", dev[] = "dev";
	char *groups[] = {ops, dev, NULL};
	AUTO_STRING bearer = header_text(&(struct kube_config){
		.server = server, .token = token, .username = user, .password = password});
	assert_string_equal(bearer,
		"Accept: application/json\nContent-Type: text/x\nAuthorization: Bearer tok\n");
	AUTO_STRING basic = header_text(&(struct kube_config){.server = server,
		.username = user,
		.password = password,
		.as = boss,
		.as_uid = uid,
		.as_groups = groups});
	assert_string_equal(basic,
		"Accept: application/json\nContent-Type: text/x\nAuthorization: Basic bWU6cHc=\n"
		"Impersonate-User: boss\nImpersonate-Uid: 7\nImpersonate-Group: ops\n"
		"Impersonate-Group: dev\n");
}

static void keeps_credentials_to_https(void **state)
{
	(void)state;
	char server[] = "http://x", token[] = "secret";
	struct kube_config config = {.server = server, .token = token};
	struct kube_client *client = NULL;
	struct err err = {0};
	assert_int_equal(kube_client_new(&config, &(struct kube_client_options){0}, &client, &err),
		ERR_FAILED);
	assert_contains(err.message, "they go over https only");
	assert_null(strstr(err.message, "secret"));
	assert_null(client);
}

static void write_token(const char *path, const char *token, time_t when)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(token, file) >= 0);
	assert_int_equal(fclose(file), 0);
	struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void reads_the_token_file_again(void **state)
{
	(void)state;
	char path[] = "/tmp/batchrollout-token-XXXXXX", server[] = "https://x", ignored[] = "no";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct kube_config config = {.server = server, .token = ignored, .token_file = path};
	struct kube_credentials credentials;
	struct err err = {0};
	assert_int_equal(kube_credentials_init(&credentials, &config, NULL), 0);
	write_token(path, "one\n", 1000);
	assert_int_equal(kube_credentials_refresh(&credentials, NULL), 0);
	assert_string_equal(credentials.authorization, "Authorization: Bearer one");
	write_token(path, "two", 2000);
	assert_int_equal(kube_credentials_refresh(&credentials, NULL), 0);
	assert_string_equal(credentials.authorization, "Authorization: Bearer two");
	write_token(path, " \n", 3000);
	assert_int_equal(kube_credentials_refresh(&credentials, &err), ERR_FAILED);
	assert_contains(err.message, " is empty");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(kube_credentials_refresh(&credentials, &err), ERR_FAILED);
	assert_contains(err.message, "tokenFile: open /tmp/");
	kube_credentials_release(&credentials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_in_chunks),
		cmocka_unit_test(starts_again_when_chunks_expire),
		cmocka_unit_test(tries_reads_again),
		cmocka_unit_test(gives_up_at_last),
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(updates_by_patches),
		cmocka_unit_test(tells_conflicts_from_refusals),
		cmocka_unit_test(creates_once),
		cmocka_unit_test(deletes_with_preconditions),
		cmocka_unit_test(shows_warnings_once),
		cmocka_unit_test(discovers_once),
		cmocka_unit_test(authenticates),
		cmocka_unit_test(keeps_credentials_to_https),
		cmocka_unit_test(reads_the_token_file_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
