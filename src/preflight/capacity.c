/*
 * Room on the nodes. That there is none now is not said to last: pods come and go, autoscalers add
 * nodes, and who is more important pushes others out. So it is a note; only a pod that is larger
 * than every node there is cannot work.
 */
#include <limits.h>

#include "api/object.h"
#include "base/buf.h"
#include "preflight/amounts.h"
#include "preflight/checks.h"
#include "preflight/nodes.h"
#include "preflight/pod_spec.h"

bool needs_capacity(const struct subject *subject)
{
	CLEANUP(amounts_release) struct amounts sum = {0};
	pod_spec_sum(subject->new_spec, "requests", &sum);
	for (size_t i = 0; i < sum.count; i++)
		if (sum.items[i].value > 0)
			return true;
	return false;
}

/* How many pods that ask for so much fit into that. */
static int64_t pods_in(const struct amounts *free, const struct amounts *request)
{
	quantity most = amounts_get(free, "pods") / QUANTITY_ONE;
	for (size_t i = 0; i < request->count; i++) {
		quantity wanted = request->items[i].value;
		quantity here =
			wanted > 0 ? amounts_get(free, request->items[i].name) / wanted : most;
		most = here < most ? here : most;
	}
	return most > 0 ? (int64_t)most : 0;
}

static bool has_ended(const json *pod)
{
	const char *phase = json_path_text(pod, "status", "phase", NULL);
	return str_equal(phase, "Succeeded") || str_equal(phase, "Failed");
}

/* What the pods on the node ask for is taken off. */
static void subtract_used(struct amounts *free, const json *node, const json *pods)
{
	json_for_each (pod, list_items(pods)) {
		const json *spec = json_get(pod, "spec");
		if (has_ended(pod) ||
			!str_equal(json_get_text(spec, "nodeName"), object_name(node)))
			continue;
		CLEANUP(amounts_release) struct amounts used = {0};
		pod_spec_sum(spec, "requests", &used);
		amounts_add(&used, "pods", QUANTITY_ONE);
		for (size_t i = 0; i < used.count; i++)
			amounts_add(free, used.items[i].name, -used.items[i].value);
	}
}

struct room {
	int64_t pods;  /* that fit beside what is there */
	int64_t empty; /* that fit where nothing is there */
};

static struct room find_room(const struct subject *subject, const struct amounts *request,
	const json *nodes, const json *pods)
{
	struct room room = {0};
	json_for_each (node, list_items(nodes)) {
		CLEANUP(amounts_release) struct amounts free = {0};
		if (!node_allows(node, subject->new_spec))
			continue;
		amounts_read(&free, json_path(node, "status", "allocatable", NULL));
		room.empty += pods_in(&free, request);
		subtract_used(&free, node, pods);
		room.pods += pods_in(&free, request);
	}
	return room;
}

static char *describe(const struct amounts *request)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	for (size_t i = 0; i < request->count; i++) {
		AUTO_STRING value = quantity_text(request->items[i].value, request->items[i].name);
		if (request->items[i].value > 0)
			buf_addf(&text, "%s%s %s", text.length > 0 ? ", " : "",
				request->items[i].name, value);
	}
	return buf_take(&text);
}

void check_capacity(const struct subject *subject, const json *nodes, const json *pods,
	struct findings *findings)
{
	CLEANUP(amounts_release) struct amounts request = {0};
	pod_spec_sum(subject->new_spec, "requests", &request);
	bool any = false;
	json_for_each (node, list_items(nodes))
		any = any || node_allows(node, subject->new_spec);
	if (!any)
		return; /* check_placement has said it */
	AUTO_STRING wanted = describe(&request);
	struct room room = find_room(subject, &request, nodes, pods);
	struct moment most = moments_most(&subject->forward, true);
	int more = moment_pods(&most, true) - subject->replicas;
	if (room.empty == 0 && !nodes_may_grow(nodes))
		add_refusal(findings,
			mem_format("no node is large enough for a new pod, which asks for %s",
				wanted));
	else if (room.empty == 0)
		add_finding(findings,
			mem_format("no node is large enough for a new pod, which asks for %s; one "
				   "must be added for it",
				wanted));
	else if (room.pods < more)
		add_finding(findings,
			mem_format(
				"the nodes have room for %d more pods of this size now (%s), and "
				"the release has up to %d more than there are: batches wait for "
				"room, until --timeout",
				(int)(room.pods < INT_MAX ? room.pods : INT_MAX), wanted, more));
}
