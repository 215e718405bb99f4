/*
 * Kubeconfig files, read and merged; for kube/ alone.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "data/json.h"
#include "kube/config.h"

struct kubeconfig {
	/* {"current-context", "contexts": […], "clusters": […], "users": […]} of all files; every
	 * element has the name of its file under "file". */
	json *merged;
	char *files; /* the files looked at, for messages: "/a:/b" */
};

/* Reads the files that the flag, else the environment, else the home directory names. Missing files
 * count as empty, but for the one that the flag names. */
int kubeconfig_read(const struct kube_flags *flags, const struct kube_environment *environment,
	struct kubeconfig *ret, struct err *err);
void kubeconfig_release(struct kubeconfig *kubeconfig); /* wipes the strings in it */

/* The element with this name under "contexts", "clusters" or "users"; NULL where there is none. */
const json *kubeconfig_find(
	const struct kubeconfig *kubeconfig, const char *section, const char *name);

/* A path as an element of the file means it: relative to the file. The caller frees. */
char *kubeconfig_resolve_path(const json *element, const char *path);

#endif
