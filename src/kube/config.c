#include "kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "kube/kubeconfig.h"

#define PEM_MAXIMUM ((size_t)4 << 20)

static void wipe_string(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void wipe_pem(struct kube_pem *pem)
{
	if (pem->bytes != NULL)
		explicit_bzero(pem->bytes, pem->length);
	free(pem->bytes);
	*pem = (struct kube_pem){0};
}

void kube_config_release(struct kube_config *config)
{
	if (config == NULL)
		return;
	wipe_pem(&config->certificate_authority);
	wipe_pem(&config->client_certificate);
	wipe_pem(&config->client_key);
	char **const strings[] = {&config->server, &config->namespace, &config->tls_server_name,
		&config->proxy_url, &config->token, &config->token_file, &config->username,
		&config->password, &config->as, &config->as_uid};
	for (size_t i = 0; i < COUNT_OF(strings); i++)
		wipe_string(strings[i]);
	for (char **group = config->as_groups; group != NULL && *group != NULL; group++)
		free(*group);
	free(config->as_groups);
	*config = (struct kube_config){0};
}

/* Replaces where there is a new value. */
static void override(char **string, const char *value)
{
	if (str_empty(value))
		return;
	wipe_string(string);
	*string = mem_strdup(value);
}

static int read_pem(const char *path, struct kube_pem *pem, struct err *err)
{
	struct buf content;
	int code = file_read(path, PEM_MAXIMUM, &content, err);
	if (code != 0)
		return code;
	wipe_pem(pem);
	pem->length = content.length;
	pem->bytes = buf_take(&content);
	return 0;
}

/* The PEM of "KEY-data" (base64), else of the file that "KEY" names, if there is any. */
static int take_pem(const json *element, const json *settings, const char *key,
	struct kube_pem *pem, struct err *err)
{
	AUTO_STRING data_key = mem_format("%s-data", key);
	const char *data = json_get_text(settings, data_key);
	const char *path = json_get_text(settings, key);
	if (!str_empty(data)) {
		struct kube_pem decoded = {0};
		int code = base64_decode(data, &decoded.bytes, &decoded.length, err);
		if (code != 0)
			return err_wrap(err, "%s", data_key);
		wipe_pem(pem);
		*pem = decoded;
	} else if (!str_empty(path)) {
		AUTO_STRING resolved = kubeconfig_resolve_path(element, path);
		int code = read_pem(resolved, pem, err);
		if (code != 0)
			return err_wrap(err, "%s", key);
	}
	return 0;
}

static int take_cluster(struct kube_config *config, const json *element, struct err *err)
{
	const json *cluster = json_get(element, "cluster");
	override(&config->server, json_get_text(cluster, "server"));
	override(&config->tls_server_name, json_get_text(cluster, "tls-server-name"));
	override(&config->proxy_url, json_get_text(cluster, "proxy-url"));
	config->insecure_skip_tls_verify =
		json_is_true(json_get(cluster, "insecure-skip-tls-verify"));
	config->disable_compression = json_is_true(json_get(cluster, "disable-compression"));
	int code = take_pem(
		element, cluster, "certificate-authority", &config->certificate_authority, err);
	return code == 0 ? 0
			 : err_wrap(err, "cluster \"%s\" in %s", json_get_text(element, "name"),
				   json_get_text(element, "file"));
}

static void take_groups(struct kube_config *config, const json *groups)
{
	size_t count = json_count(groups), i = 0;
	if (count == 0)
		return;
	config->as_groups = mem_alloc(count + 1, sizeof(char *));
	json_for_each (group, groups)
		if (json_text(group) != NULL)
			config->as_groups[i++] = mem_strdup(json_text(group));
}

/* Ways to log in that this program cannot do: to go on without would be another user. */
static int refuse_unsupported(const json *user, const struct kube_flags *flags, struct err *err)
{
	static const char *const UNSUPPORTED[] = {"exec", "auth-provider"};
	bool own_credentials = !str_empty(flags->token) || !str_empty(flags->client_certificate);
	for (size_t i = 0; i < COUNT_OF(UNSUPPORTED) && !own_credentials; i++)
		if (json_is_object(json_get(user, UNSUPPORTED[i])))
			return err_set(err, ERR_FAILED,
				"logs in by \"%s\", which is not supported yet; a token or a "
				"client certificate is (also as --token, --client-certificate)",
				UNSUPPORTED[i]);
	if (json_count(json_get(user, "as-user-extra")) > 0)
		return err_set(err, ERR_FAILED, "as-user-extra is not supported");
	return 0;
}

static int take_user(struct kube_config *config, const json *element,
	const struct kube_flags *flags, struct err *err)
{
	const json *user = json_get(element, "user");
	override(&config->token, json_get_text(user, "token"));
	override(&config->username, json_get_text(user, "username"));
	override(&config->password, json_get_text(user, "password"));
	override(&config->as, json_get_text(user, "as"));
	override(&config->as_uid, json_get_text(user, "as-uid"));
	take_groups(config, json_get(user, "as-groups"));
	const char *token_file = json_get_text(user, "tokenFile");
	if (!str_empty(token_file))
		config->token_file = kubeconfig_resolve_path(element, token_file);
	int code = refuse_unsupported(user, flags, err);
	if (code == 0)
		code = take_pem(
			element, user, "client-certificate", &config->client_certificate, err);
	if (code == 0)
		code = take_pem(element, user, "client-key", &config->client_key, err);
	return code == 0 ? 0
			 : err_wrap(err, "user \"%s\" in %s", json_get_text(element, "name"),
				   json_get_text(element, "file"));
}

/* Finds the element that a name (NULL or "": none) stands for. */
static int find(const struct kubeconfig *kubeconfig, const char *section, const char *what,
	const char *name, const json **ret, struct err *err)
{
	if (str_empty(name))
		return 0;
	*ret = kubeconfig_find(kubeconfig, section, name);
	if (*ret == NULL)
		return err_set(err, ERR_FAILED, "%s \"%s\" does not exist in %s", what, name,
			kubeconfig->files);
	return 0;
}

/* Reads what the chosen context says, with the flags' choice of its parts. */
static int take_kubeconfig(struct kube_config *config, const struct kubeconfig *kubeconfig,
	const struct kube_flags *flags, struct err *err)
{
	const json *context = NULL, *cluster = NULL, *user = NULL;
	const char *name = flags->context;
	if (str_empty(name))
		name = json_get_text(kubeconfig->merged, "current-context");
	int code = find(kubeconfig, "contexts", "context", name, &context, err);
	const json *settings = json_get(context, "context");
	const char *cluster_name =
		str_empty(flags->cluster) ? json_get_text(settings, "cluster") : flags->cluster;
	const char *user_name =
		str_empty(flags->user) ? json_get_text(settings, "user") : flags->user;
	if (code == 0)
		code = find(kubeconfig, "clusters", "cluster", cluster_name, &cluster, err);
	if (code == 0)
		code = find(kubeconfig, "users", "user", user_name, &user, err);
	if (code != 0)
		return code;
	if (cluster == NULL && str_empty(flags->server) && context == NULL)
		return err_set(err, ERR_FAILED,
			"no context is chosen: current-context is not set in %s; name one with "
			"--context",
			kubeconfig->files);
	override(&config->namespace, json_get_text(settings, "namespace"));
	if (cluster != NULL)
		code = take_cluster(config, cluster, err);
	if (code == 0 && user != NULL)
		code = take_user(config, user, flags, err);
	if (code == 0 && str_empty(config->server) && str_empty(flags->server))
		return err_set(err, ERR_FAILED, "no server is set for cluster \"%s\" in %s",
			cluster_name != NULL ? cluster_name : "", kubeconfig->files);
	return code;
}

/* The service account of the pod that we run in.
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
static int take_service_account(
	struct kube_config *config, const struct kube_environment *environment, struct err *err)
{
	const char *host = environment->service_host;
	bool ipv6 = strchr(host, ':') != NULL;
	AUTO_STRING namespace_file =
		mem_format("%s/namespace", environment->service_account_directory);
	AUTO_STRING authority = mem_format("%s/ca.crt", environment->service_account_directory);
	config->token_file = mem_format("%s/token", environment->service_account_directory);
	config->server = mem_format(
		ipv6 ? "https://[%s]:%s" : "https://%s:%s", host, environment->service_port);
	int code = read_pem(authority, &config->certificate_authority, err);
	if (code != 0)
		return err_wrap(err, "in-cluster configuration");
	AUTO_BUF name = BUF_INIT(0);
	if (file_read(namespace_file, 4096, &name, NULL) == 0 && name.length > 0) {
		name.text[strcspn(name.text, " \t\r\n")] = '\0';
		override(&config->namespace, name.text);
	}
	return 0;
}

static bool is_in_cluster(const struct kube_environment *environment)
{
	if (str_empty(environment->service_host) || str_empty(environment->service_port) ||
		str_empty(environment->service_account_directory))
		return false;
	AUTO_STRING token = mem_format("%s/token", environment->service_account_directory);
	return access(token, R_OK) == 0;
}

static int set_tls_flags(
	struct kube_config *config, const struct kube_flags *flags, struct err *err)
{
	bool own_authority = !str_empty(flags->certificate_authority);
	int code = 0;
	if (flags->insecure_skip_tls_verify || own_authority) {
		wipe_pem(&config->certificate_authority);
		config->insecure_skip_tls_verify = flags->insecure_skip_tls_verify;
	}
	if (own_authority)
		code = read_pem(flags->certificate_authority, &config->certificate_authority, err);
	if (code != 0)
		return err_wrap(err, "--certificate-authority");
	if (config->insecure_skip_tls_verify && config->certificate_authority.length > 0)
		return err_set(err, ERR_FAILED,
			"specifying a root certificates file with the insecure flag is not "
			"allowed");
	if (!str_empty(flags->client_certificate))
		code = read_pem(flags->client_certificate, &config->client_certificate, err);
	if (code != 0)
		return err_wrap(err, "--client-certificate");
	if (!str_empty(flags->client_key))
		code = read_pem(flags->client_key, &config->client_key, err);
	if (code != 0)
		return err_wrap(err, "--client-key");
	bool certificate = config->client_certificate.length > 0;
	if (certificate != (config->client_key.length > 0))
		return err_set(err, ERR_FAILED,
			certificate ? "the client certificate is there without its key"
				    : "the client key is there without its certificate");
	return 0;
}

static void set_impersonation(struct kube_config *config, const struct kube_flags *flags)
{
	override(&config->as, flags->as);
	override(&config->as_uid, flags->as_uid);
	if (flags->as_groups == NULL || flags->as_groups[0] == NULL)
		return;
	for (char **group = config->as_groups; group != NULL && *group != NULL; group++)
		free(*group);
	free(config->as_groups);
	size_t count = 0;
	while (flags->as_groups[count] != NULL)
		count++;
	config->as_groups = mem_alloc(count + 1, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		config->as_groups[i] = mem_strdup(flags->as_groups[i]);
}

static int set_flags(struct kube_config *config, const struct kube_flags *flags, struct err *err)
{
	/* The name of another server would be wrong for this one. */
	if (!str_empty(flags->server))
		wipe_string(&config->tls_server_name);
	override(&config->server, flags->server);
	override(&config->tls_server_name, flags->tls_server_name);
	override(&config->namespace, flags->namespace);
	if (!str_empty(flags->token)) {
		wipe_string(&config->token_file);
		wipe_string(&config->username);
		wipe_string(&config->password);
	}
	override(&config->token, flags->token);
	set_impersonation(config, flags);
	config->disable_compression = config->disable_compression || flags->disable_compression;

	int64_t timeout = 0;
	if (!str_empty(flags->request_timeout)) {
		/* kubectl takes whole seconds as well. */
		int code = parse_int(flags->request_timeout, 0, INT32_MAX, &timeout, NULL);
		timeout *= 1000;
		if (code != 0)
			code = parse_duration(flags->request_timeout, &timeout, err);
		if (code != 0)
			return err_wrap(err, "--request-timeout");
	}
	config->request_timeout_ms = timeout;
	return set_tls_flags(config, flags, err);
}

/* "host:6443/" becomes "https://host:6443". */
static void normalise_server(struct kube_config *config)
{
	if (strstr(config->server, "://") == NULL) {
		/* As kubectl decides it: https where anything about TLS is set. */
		bool tls = config->certificate_authority.length > 0 ||
			   config->client_certificate.length > 0 ||
			   config->insecure_skip_tls_verify;
		char *url = mem_format("%s://%s", tls ? "https" : "http", config->server);
		free(config->server);
		config->server = url;
	}
	size_t length = strlen(config->server);
	while (length > 0 && config->server[length - 1] == '/')
		config->server[--length] = '\0';
}

static bool has_choice(const struct kube_flags *flags)
{
	return !str_empty(flags->context) || !str_empty(flags->cluster) ||
	       !str_empty(flags->user) || !str_empty(flags->server);
}

static int load(struct kube_config *config, const struct kube_flags *flags,
	const struct kube_environment *environment, struct err *err)
{
	CLEANUP(kubeconfig_release) struct kubeconfig kubeconfig = {0};
	int code = kubeconfig_read(flags, environment, &kubeconfig, err);
	if (code != 0)
		return code;
	if (json_count(kubeconfig.merged) > 0 || has_choice(flags))
		code = take_kubeconfig(config, &kubeconfig, flags, err);
	else if (is_in_cluster(environment))
		code = take_service_account(config, environment, err);
	else
		code = err_set(err, ERR_FAILED,
			"no cluster is configured: point --kubeconfig or the environment variable "
			"KUBECONFIG to a config file, or put it in ~/.kube/config (looked at: %s)",
			kubeconfig.files[0] != '\0' ? kubeconfig.files : "nothing");
	if (code == 0)
		code = set_flags(config, flags, err);
	if (code != 0)
		return code;
	normalise_server(config);
	if (str_empty(config->namespace))
		config->namespace = mem_strdup("default");
	return 0;
}

int kube_config_load(const struct kube_flags *flags, const struct kube_environment *environment,
	struct kube_config *ret_config, struct err *err)
{
	struct kube_config config = {0};
	int code = load(&config, flags, environment, err);
	if (code != 0)
		kube_config_release(&config);
	else
		*ret_config = config;
	return code;
}
