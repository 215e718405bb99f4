#include "kube/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/internal.h"
#include "kube/url.h"

enum { MAXIMUM_GROUPS = 30 };

static int check_names(const struct kube_config *config, struct err *err)
{
	size_t groups = 0;
	while (config->as_groups != NULL && config->as_groups[groups] != NULL)
		groups++;
	if (groups > MAXIMUM_GROUPS)
		return err_set(
			err, ERR_FAILED, "more than %d groups to impersonate", MAXIMUM_GROUPS);
	if (str_empty(config->as) && (groups > 0 || !str_empty(config->as_uid)))
		return err_set(err, ERR_FAILED,
			"requesting a group or uid to impersonate without a user to impersonate");
	return 0;
}

static void add_impersonation(struct str_list *headers, const struct kube_config *config)
{
	const struct {
		const char *name, *value;
	} single[] = {{"User", config->as}, {"Uid", config->as_uid}};
	for (size_t i = 0; i < COUNT_OF(single); i++) {
		if (str_empty(single[i].value))
			continue;
		AUTO_STRING line =
			mem_format("Impersonate-%s: %s", single[i].name, single[i].value);
		str_list_add(headers, line);
	}
	for (char **group = config->as_groups; group != NULL && *group != NULL; group++) {
		AUTO_STRING line = mem_format("Impersonate-Group: %s", *group);
		str_list_add(headers, line);
	}
}

static struct http_blob blob(const struct kube_pem *pem)
{
	return (struct http_blob){pem->bytes, pem->length};
}

static int make_http_client(struct kube_client *client, const struct kube_config *config,
	const struct kube_client_options *options, struct err *err)
{
	struct http_options http = {
		.user_agent = options->user_agent,
		.certificate_authority = blob(&config->certificate_authority),
		.client_certificate = blob(&config->client_certificate),
		.client_key = blob(&config->client_key),
		.tls_server_name = config->tls_server_name,
		.proxy_url = config->proxy_url,
		.insecure_skip_tls_verify = config->insecure_skip_tls_verify,
		.compression = !config->disable_compression,
		.timeout_ms = config->request_timeout_ms,
		.interrupted = options->interrupted,
	};
	return http_client_new(&http, &client->http, err);
}

int kube_client_new(const struct kube_config *config, const struct kube_client_options *options,
	struct kube_client **ret, struct err *err)
{
	struct kube_client *client = mem_alloc(1, sizeof(*client));
	client->options = *options;
	client->server = mem_strdup(config->server);
	client->field_manager = mem_strdup(options->field_manager);
	int code = check_names(config, err);
	if (code == 0)
		code = kube_credentials_init(&client->credentials, config, err);
	if (code == 0)
		code = make_http_client(client, config, options, err);
	if (code != 0) {
		kube_client_free(client);
		return code;
	}
	add_impersonation(&client->impersonation, config);
	*ret = client;
	return 0;
}

void kube_client_free(struct kube_client *client)
{
	if (client == NULL)
		return;
	http_client_free(client->http);
	kube_credentials_release(&client->credentials);
	str_list_release(&client->impersonation);
	str_list_release(&client->warned);
	str_list_release(&client->discovered);
	str_list_release(&client->served);
	free(client->server);
	free(client->field_manager);
	free(client);
}

struct api_port kube_client_port(struct kube_client *client)
{
	return (struct api_port){
		.context = client,
		.list = kube_list,
		.write = kube_write,
		.watch_open = kube_watch_open,
		.watch_next = kube_watch_next,
		.watch_close = kube_watch_close,
	};
}

int kube_client_get(struct kube_client *client, const char *path, json **ret, struct err *err)
{
	struct kube_request request = {.method = "GET", .path = path, .idempotent = true};
	return kube_request(client, &request, ret, err);
}

/* Asks for a group version and notes what it serves. */
static int discover(
	struct kube_client *client, const struct kind *kind, const char *path, struct err *err)
{
	AUTO_JSON resources = NULL;
	struct err problem = {0};
	int code = kube_client_get(client, path, &resources, &problem);
	if (code != 0 && code != ERR_NOT_FOUND) {
		(void)err_set(err, problem.code, "%s", problem.message);
		return err_wrap(err, "discovery of %s", kind->version);
	}
	str_list_add(&client->discovered, path);
	json_for_each (resource, json_get(resources, "resources")) {
		const char *name = json_get_text(resource, "name");
		if (name == NULL)
			continue;
		AUTO_STRING served = mem_format("%s/%s", path, name);
		str_list_add(&client->served, served);
	}
	return 0;
}

int kube_client_serves(struct kube_client *client, const struct kind *kind, struct err *err)
{
	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	url_add_group_version(&path, kind);
	if (!str_list_has(&client->discovered, buf_text(&path))) {
		int code = discover(client, kind, buf_text(&path), err);
		if (code != 0)
			return code;
	}
	buf_addf(&path, "/%s", kind->plural);
	return str_list_has(&client->served, buf_text(&path));
}
