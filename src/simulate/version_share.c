#include "simulate/version_share.h"

#include <string.h>

#include "base/str.h"
#include "data/key_set.h"
#include "simulate/resolve.h"
#include "traffic/intent.h"

/* The pods that get requests. A missing `ready` means ready (discovery/v1 EndpointConditions). */
static struct key_set ready_pods(const json *slices)
{
	struct key_set names = {0};
	json_for_each (slice, slices)
		json_for_each (endpoint, json_get(slice, "endpoints")) {
			const json *ready = json_path(endpoint, "conditions", "ready", NULL);
			const char *name = json_path_text(endpoint, "targetRef", "name", NULL);
			bool serves = ready == NULL || json_is_null(ready) || json_is_true(ready);
			if (serves && name != NULL && !key_set_has(&names, name))
				key_set_add(&names, name);
		}
	return names;
}

static const json *labels_of(const json *pod)
{
	return json_path(pod, "metadata", "labels", NULL);
}

static bool has_labels(const json *pod, const json *wanted)
{
	json_for_each (label, wanted)
		if (!str_equal(json_get_text(labels_of(pod), json_key(label)), json_text(label)))
			return false;
	return true;
}

/* The entry of a version, made in its place where there is none. */
static json *entry_of(json *shares, const char *version)
{
	size_t place = 0;
	json_for_each (share, shares) {
		const char *other = json_get_text(share, "version");
		if (str_equal(other, version))
			return share;
		if (other == NULL || (version != NULL && strcmp(other, version) < 0))
			place++;
	}
	json *entry = json_object();
	json_set_text(entry, "version", version);
	json_insert(shares, place, entry);
	return entry;
}

json *version_shares(const json *pods, const json *slices, const json *labels)
{
	CLEANUP(key_set_release) struct key_set ready = ready_pods(slices);
	json *shares = json_array();
	int64_t total = 0;
	json_for_each (pod, pods) {
		if (!key_set_has(&ready, object_title(pod)) || !has_labels(pod, labels))
			continue;
		json *entry = entry_of(shares, json_get_text(labels_of(pod), VERSION_LABEL));
		json_set_integer(entry, "pods", json_get_integer(entry, "pods", 0) + 1);
		total++;
	}
	json_for_each (entry, shares)
		json_set(entry, "share",
			json_number((double)json_get_integer(entry, "pods", 0) / (double)total));
	return shares;
}
