/*
 * What a command works with: the global options, the connection to the cluster (made when it is
 * first asked for), and the ports through which the release core reaches the world.
 */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include <signal.h>

#include "cli/options.h"
#include "kube/client.h"
#include "release/drive.h"
#include "ui/progress.h"

/* Flags that every kubectl command has. */
struct global_options {
	const char *kubeconfig, *context, *cluster, *user, *namespace, *server, *token;
	const char *as, *as_uid, *certificate_authority, *client_certificate, *client_key;
	const char *tls_server_name, *request_timeout, *cache_dir, *verbosity;
	struct str_list as_groups;
	bool insecure_skip_tls_verify, disable_compression, help;
};

extern const struct option_row GLOBAL_OPTIONS[];

struct session {
	struct global_options global;
	struct kube_client *client;
	char *namespace; /* known once connected */
	struct ports ports;
	struct progress progress;
	volatile sig_atomic_t *interrupted;
};

void session_release(struct session *session);

/* Reads the configuration and makes the client and the ports. */
int session_connect(struct session *session, struct err *err);

/* A holder that names this process. */
struct holder session_self(const char *verb);

/* The name in "web", "svc/web" or "service/web". NULL, with an error, for anything else. */
const char *session_service(const char *argument, struct err *err);

/* The command line that goes on with a release, for hints: "kubectl batchrollout next web -n shop".
 * The caller frees. */
char *session_hint(const struct session *session, const char *verb, const char *service);

#endif
