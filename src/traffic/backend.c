#include "traffic/backend.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define SERVICE_NAME_MAXIMUM 63
#define HASH_LENGTH 8

/* FNV-1a. It only has to tell apart the long names of one namespace; that an object under a name of
 * ours is ours is checked by its labels. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261U;
	for (const char *p = text; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return hash;
}

char *version_service(const struct intent *intent, bool canary)
{
	static const char *const SUFFIXES[] = {"-stable", "-canary"};
	const char *service = intent->service;
	const char *suffix = SUFFIXES[canary];
	size_t room = SERVICE_NAME_MAXIMUM - strlen(OWN_PREFIX) - strlen(suffix);
	if (strlen(service) <= room)
		return mem_format(OWN_PREFIX "%s%s", service, suffix);
	return mem_format(OWN_PREFIX "%.*s-%08" PRIx32 "%s", (int)(room - HASH_LENGTH - 1), service,
		hash_of(service), suffix);
}

struct route_scope route_scope_of(const json *route, const struct intent *intent)
{
	return (struct route_scope){.namespace = namespace_of(route, intent), .intent = intent};
}

static const char *text_or(const json *object, const char *key, const char *default_text)
{
	const char *text = json_get_text(object, key);
	return text != NULL ? text : default_text;
}

/* Whether it is to this Service in the Service's namespace. group and kind are what is meant where
 * the reference says nothing. */
static bool refers_to(const json *reference, const char *name, const char *group, const char *kind,
	const struct route_scope *scope)
{
	return str_empty(text_or(reference, "group", group)) &&
	       str_equal(text_or(reference, "kind", kind), "Service") &&
	       str_equal(text_or(reference, "namespace", scope->namespace),
		       scope->intent->namespace) &&
	       str_equal(json_get_text(reference, "name"), name);
}

bool parent_is_service(const json *parent, const struct route_scope *scope)
{
	return refers_to(
		parent, scope->intent->service, "gateway.networking.k8s.io", "Gateway", scope);
}

bool backend_is_ours(const json *backend, const struct route_scope *scope)
{
	return refers_to(backend, scope->intent->service, "", "Service", scope);
}

bool backend_is_of_version(const json *backend, bool canary, const struct route_scope *scope)
{
	AUTO_STRING name = version_service(scope->intent, canary);
	return refers_to(backend, name, "", "Service", scope);
}

bool rule_has_ours(const json *rule, const struct route_scope *scope)
{
	json_for_each (backend, json_get(rule, "backendRefs")) {
		if (backend_is_ours(backend, scope))
			return true;
	}
	return false;
}

bool rule_names_versions(const json *rule, const struct route_scope *scope)
{
	json_for_each (backend, json_get(rule, "backendRefs")) {
		if (backend_is_of_version(backend, false, scope) ||
			backend_is_of_version(backend, true, scope))
			return true;
	}
	return false;
}
