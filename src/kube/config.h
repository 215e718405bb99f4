/*
 * Which cluster, as which user: kubeconfig files, the flags that override them, or the service
 * account of the pod we run in.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What the command line says; NULL or false where it says nothing. The strings are the caller's. */
struct kube_flags {
	const char *kubeconfig;
	const char *context;
	const char *cluster;
	const char *user;
	const char *namespace;
	const char *server;
	const char *token;
	const char *as;
	const char *const *as_groups; /* NULL-terminated, or NULL */
	const char *as_uid;
	const char *certificate_authority;
	const char *client_certificate;
	const char *client_key;
	const char *tls_server_name;
	const char *request_timeout; /* a duration; "0" is none */
	bool insecure_skip_tls_verify;
	bool disable_compression;
};

/* Bytes of a certificate or key, in PEM. */
struct kube_pem {
	char *bytes;
	size_t length;
};

/* A resolved target; everything is owned by it. */
struct kube_config {
	char *server;	 /* "https://host:port[/prefix]", without a slash at the end */
	char *namespace; /* "default" where nothing says otherwise */
	char *tls_server_name;
	char *proxy_url;
	struct kube_pem certificate_authority;
	struct kube_pem client_certificate;
	struct kube_pem client_key;
	char *token;
	char *token_file; /* read again for each connection; wins over token */
	char *username, *password;
	char *as, *as_uid;
	char **as_groups;	      /* NULL-terminated, or NULL */
	long long request_timeout_ms; /* 0: none */
	bool insecure_skip_tls_verify;
	bool disable_compression;
};

/* Where environment and files come from; main hands in getenv and the real root. */
struct kube_environment {
	const char *kubeconfig;			 /* $KUBECONFIG or NULL */
	const char *home;			 /* $HOME or NULL */
	const char *service_host, *service_port; /* $KUBERNETES_SERVICE_HOST, …_PORT */
	const char *service_account_directory;	 /* /var/run/secrets/kubernetes.io/serviceaccount */
};

/* Resolves. Errors name the file and the context, cluster or user that is wrong, and never print a
 * credential. ret_config is released with kube_config_release. */
int kube_config_load(const struct kube_flags *flags, const struct kube_environment *environment,
	struct kube_config *ret_config, struct err *err);

void kube_config_release(struct kube_config *config); /* wipes credentials from memory */

#endif
