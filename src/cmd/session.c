#include "cmd/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "cmd/host.h"
#include "release/status.h"
#include "ui/escape.h"

#if defined(__APPLE__)
#define SYSTEM "darwin"
#else
#define SYSTEM "linux"
#endif
#if defined(__aarch64__)
#define MACHINE "arm64"
#else
#define MACHINE "amd64"
#endif

#define ROW(member) offsetof(struct global_options, member)

const struct option_row GLOBAL_OPTIONS[] = {
	{"help", 'h', OPTION_FLAG, NULL, "Help for this command.", ROW(help)},
	{"namespace", 'n', OPTION_TEXT, "NAME", "The namespace of the Service.", ROW(namespace)},
	{"kubeconfig", 0, OPTION_TEXT, "FILE", "The kubeconfig file to use.", ROW(kubeconfig)},
	{"context", 0, OPTION_TEXT, "NAME", "The kubeconfig context to use.", ROW(context)},
	{"cluster", 0, OPTION_TEXT, "NAME", "The kubeconfig cluster to use.", ROW(cluster)},
	{"user", 0, OPTION_TEXT, "NAME", "The kubeconfig user to use.", ROW(user)},
	{"server", 's', OPTION_TEXT, "URL", "The address of the API server.", ROW(server)},
	{"token", 0, OPTION_TEXT, "TOKEN", "A bearer token for the API server.", ROW(token)},
	{"as", 0, OPTION_TEXT, "USER", "Act as this user.", ROW(as)},
	{"as-group", 0, OPTION_LIST, "GROUP", "Act as a member of this group; may be repeated.",
		ROW(as_groups)},
	{"as-uid", 0, OPTION_TEXT, "UID", "Act with this uid.", ROW(as_uid)},
	{"certificate-authority", 0, OPTION_TEXT, "FILE", "The CA of the API server.",
		ROW(certificate_authority)},
	{"client-certificate", 0, OPTION_TEXT, "FILE", "A client certificate.",
		ROW(client_certificate)},
	{"client-key", 0, OPTION_TEXT, "FILE", "The client certificate's key.", ROW(client_key)},
	{"insecure-skip-tls-verify", 0, OPTION_FLAG, NULL,
		"Do not check the API server's certificate. Insecure.",
		ROW(insecure_skip_tls_verify)},
	{"tls-server-name", 0, OPTION_TEXT, "NAME", "The name in the API server's certificate.",
		ROW(tls_server_name)},
	{"request-timeout", 0, OPTION_TEXT, "DURATION",
		"How long one request may take; 0, the default, is without end.",
		ROW(request_timeout)},
	{"disable-compression", 0, OPTION_FLAG, NULL, "Ask for answers without compression.",
		ROW(disable_compression)},
	{"cache-dir", 0, OPTION_TEXT, "DIR", "Accepted for kubectl's sake; nothing is cached.",
		ROW(cache_dir)},
	{"v", 'v', OPTION_TEXT, "LEVEL", "Verbosity; from 6 on, requests are shown.",
		ROW(verbosity)},
	{0},
};

void session_release(struct session *session)
{
	progress_release(&session->progress);
	kube_client_free(session->client);
	free(session->namespace);
	options_release(&(struct option_set){.rows = GLOBAL_OPTIONS, .values = &session->global});
}

/* --- what the release core and the client tell the user -------------------------------------- */

static void show_done(void *context, const char *text)
{
	struct session *session = context;
	progress_print(&session->progress, stdout, text);
}

static void show_note(void *context, const char *text)
{
	struct session *session = context;
	progress_print(&session->progress, stderr, text);
}

static void show_warning(void *context, const char *text)
{
	AUTO_STRING line = mem_format("Warning: %s", text);
	show_note(context, line);
}

static void show_waiting(void *context, const struct situation *situation, const char *text)
{
	struct session *session = context;
	struct release_status status = status_of(situation->record, situation->seen);
	const struct version_status *both[] = {&status.stable, &status.canary};
	static const char *const ROLES[] = {"stable", "canary"};
	struct progress_version versions[COUNT_OF(both)];
	for (size_t i = 0; i < COUNT_OF(both); i++)
		versions[i] = (struct progress_version){
			.role = ROLES[i],
			.name = both[i]->deployment,
			.version = both[i]->version,
			.ready = both[i]->ready,
			.replicas = both[i]->replicas,
			.weight = both[i]->weight,
		};
	progress_show(&session->progress, versions, COUNT_OF(versions), text);
}

/* --- the connection ----------------------------------------------------------------------------
 */

static int load_config(
	const struct global_options *global, struct kube_config *ret, struct err *err)
{
	/* The list of groups as the configuration wants it: NULL-terminated. */
	CLEANUP(mem_cleanup)
	const char **groups = mem_alloc(global->as_groups.count + 1, sizeof(char *));
	for (size_t i = 0; i < global->as_groups.count; i++)
		groups[i] = global->as_groups.items[i];
	const struct kube_flags flags = {
		.kubeconfig = global->kubeconfig,
		.context = global->context,
		.cluster = global->cluster,
		.user = global->user,
		.namespace = global->namespace,
		.server = global->server,
		.token = global->token,
		.as = global->as,
		.as_groups = global->as_groups.count > 0 ? groups : NULL,
		.as_uid = global->as_uid,
		.certificate_authority = global->certificate_authority,
		.client_certificate = global->client_certificate,
		.client_key = global->client_key,
		.tls_server_name = global->tls_server_name,
		.request_timeout = global->request_timeout,
		.insecure_skip_tls_verify = global->insecure_skip_tls_verify,
		.disable_compression = global->disable_compression,
	};
	const struct kube_environment environment = {
		.kubeconfig = getenv("KUBECONFIG"),
		.home = getenv("HOME"),
		.service_host = getenv("KUBERNETES_SERVICE_HOST"),
		.service_port = getenv("KUBERNETES_SERVICE_PORT"),
		.service_account_directory = "/var/run/secrets/kubernetes.io/serviceaccount",
	};
	return kube_config_load(&flags, &environment, ret, err);
}

int session_connect(struct session *session, struct err *err)
{
	CLEANUP(kube_config_release) struct kube_config config = {0};
	int64_t verbosity = 0;
	const char *level = session->global.verbosity;
	if (level != NULL && parse_int(level, 0, 99, &verbosity, err) != 0)
		return err_wrap(err, "-v");
	int code = load_config(&session->global, &config, err);
	if (code != 0)
		return code;
	const struct kube_client_options options = {
		.user_agent =
			"kubectl-batchrollout/" BATCHROLLOUT_VERSION " (" SYSTEM "/" MACHINE ")",
		.field_manager = MANAGED_BY,
		.interrupted = session->interrupted,
		.warn = show_warning,
		.trace = verbosity >= 6 ? show_note : NULL,
		.context = session,
	};
	code = kube_client_new(&config, &options, &session->client, err);
	if (code != 0)
		return code;
	session->namespace = mem_strdup(config.namespace);
	session->progress = progress_new(stdout, getenv("TERM"), getenv("NO_COLOR"));
	session->ports = (struct ports){
		.api = kube_client_port(session->client),
		.host = host_port_new(session->interrupted),
		.observer = {.context = session,
			.done = show_done,
			.note = show_note,
			.waiting = show_waiting},
	};
	return 0;
}

struct holder session_self(const char *verb)
{
	struct holder self = {0};
	(void)snprintf(self.verb, sizeof(self.verb), "%s", verb);
	host_name_self(&self);
	return self;
}

const char *session_service(const char *argument, struct err *err)
{
	static const char *const PREFIXES[] = {"svc/", "service/", "services/"};
	const char *name = argument;
	for (size_t i = 0; i < COUNT_OF(PREFIXES); i++)
		if (str_starts(argument, PREFIXES[i]))
			name = argument + strlen(PREFIXES[i]);
	if (strchr(name, '/') != NULL) {
		(void)err_set(err, ERR_USAGE,
			"\"%s\" is not a Service: the target of a release is SERVICE, svc/SERVICE "
			"or "
			"service/SERVICE",
			argument);
		return NULL;
	}
	if (check_object_name(name, 63, err) != 0) {
		(void)err_wrap(err, "the Service");
		return NULL;
	}
	return name;
}

char *session_hint(const struct session *session, const char *verb, const char *service)
{
	const struct global_options *global = &session->global;
	return mem_format("kubectl batchrollout %s %s%s%s%s%s", verb, service,
		global->namespace != NULL ? " -n " : "",
		global->namespace != NULL ? global->namespace : "",
		global->context != NULL ? " --context " : "",
		global->context != NULL ? global->context : "");
}
