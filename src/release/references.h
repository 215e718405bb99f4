/*
 * The places where a pod template names ConfigMaps and Secrets: volumes, environments, pull
 * secrets. Of the PodSpec of v1.36:
 * https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#podspec-v1-core
 */
#ifndef RELEASE_REFERENCES_H
#define RELEASE_REFERENCES_H

#include <stdbool.h>

#include "api/kind.h"
#include "base/str.h"
#include "data/json.h"

/* Adds the names of this kind that the template has, each once. */
void references_list(const json *template, const struct kind *kind, struct str_list *ret);

/* Of these, the names without which its pods do not start: neither those that are optional, nor
 * those of pull secrets. */
void references_list_needed(const json *template, const struct kind *kind, struct str_list *ret);

/* Whether the template (may be NULL) names this object. */
bool references_has(const json *template, const struct kind *kind, const char *name);

/* Gives objects of this kind other names, wherever the template names them. names: an object, each
 * old name with its new one, none of them looked up twice. Everything else stays as it is. */
void references_rename(json *template, const struct kind *kind, const json *names);

#endif
