/* A client whose server gives the answers of a script. */
#ifndef TESTS_UNIT_KUBE_FIXTURE_H
#define TESTS_UNIT_KUBE_FIXTURE_H

#include "api/object.h"
#include "base/str.h"
#include "kube/client.h"
#include "unit/net/server.h"

#define CONFIG_MAP(name, version, value)                                                           \
	"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name             \
	"\",\"uid\":\"u-" name "\",\"resourceVersion\":\"" version "\"},\"data\":{\"k\":\"" value  \
	"\"}}"
#define STATUS(code, reason)                                                                       \
	"{\"kind\":\"Status\",\"code\":" code ",\"reason\":\"" reason "\",\"message\":\"said\"}"

struct fixture {
	struct server server;
	struct kube_client *client;
	struct api_port port;
	struct err err;
	struct str_list warned;
	int64_t slept[8];
	size_t sleeps;
};

static inline int note_sleep(void *context, int64_t ms, struct err *err)
{
	(void)err;
	struct fixture *f = context;
	assert_true(f->sleeps < COUNT_OF(f->slept));
	f->slept[f->sleeps++] = ms;
	return 0;
}

static inline void note_warning(void *context, const char *text)
{
	struct fixture *f = context;
	str_list_add(&f->warned, text);
}

static inline void begin(struct fixture *f, const struct answer *answers, size_t count)
{
	*f = (struct fixture){0};
	server_start(&f->server, answers, count);
	struct kube_config config = {.server = f->server.url, .disable_compression = true};
	struct kube_client_options options = {.user_agent = "tester",
		.field_manager = "field manager",
		.warn = note_warning,
		.sleep = note_sleep,
		.context = f};
	assert_int_equal(kube_client_new(&config, &options, &f->client, &f->err), 0);
	f->port = kube_client_port(f->client);
}

static inline void end(struct fixture *f)
{
	kube_client_free(f->client);
	server_stop(&f->server);
	assert_int_equal(f->server.served, f->server.count);
	server_release(&f->server);
	str_list_release(&f->warned);
}

static inline json *parse(const char *text)
{
	json *node = NULL;
	assert_int_equal(json_parse(text, strlen(text), &node, NULL), 0);
	return node;
}

static const struct query ALL = {.kind = &KIND_CONFIG_MAP, .namespace = "n"};

#endif
