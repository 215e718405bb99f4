/* Kubelets: they make pods ready after a while and remove deleted ones after their grace. And the
 * clock of the controllers. */
#include <stdlib.h>

#include "sim/sim.h"

#define START_MS 1500
#define EVICTION_MS 10000

void pods_begin(struct sim *sim, struct object *pod)
{
	pod->ready_at = sim->now_ms + 100 + (int64_t)sim_random(sim, START_MS);
}

static const char *image_of(const json *pod)
{
	return json_get_text(json_first(json_path(pod, "spec", "containers", NULL)), "image");
}

static json *condition(const char *type, bool status)
{
	json *node = json_object();
	json_set_text(node, "type", type);
	json_set_text(node, "status", status ? "True" : "False");
	return node;
}

static void start_pod(struct sim *sim, struct object *pod)
{
	json *tree = json_copy(pod->now);
	json_remove(tree, "status");
	bool broken = sim->broken_image != NULL && str_equal(image_of(tree), sim->broken_image);
	json *status = json_ensure_object(tree, "status");
	AUTO_STRING address = mem_format("10.0.%s", pod->uid);
	json_set_text(status, "podIP", address);
	json_append(json_ensure_array(status, "conditions"), condition("PodScheduled", true));
	json_append(json_ensure_array(status, "conditions"), condition("Ready", !broken));
	if (broken) {
		json *container = json_object();
		json_set_text(container, "name", "web");
		json *waiting =
			json_ensure_object(json_ensure_object(container, "state"), "waiting");
		json_set_text(waiting, "reason", "ImagePullBackOff");
		json_set_text(waiting, "message", "Back-off pulling image");
		json_append(json_ensure_array(status, "containerStatuses"), container);
	} else {
		json_set_text(status, "phase", "Running");
		pod->ready_since = sim->now_ms;
	}
	sim_put_status(sim, pod, tree);
}

static void set_not_ready(struct sim *sim, struct object *pod)
{
	json *tree = json_copy(pod->now);
	json_for_each (entry, json_path(tree, "status", "conditions", NULL))
		if (str_equal(json_get_text(entry, "type"), "Ready"))
			json_set_text(entry, "status", "False");
	sim_put_status(sim, pod, tree);
}

bool pods_crash(struct sim *sim, struct object *pod)
{
	if (!pod->ready)
		return false;
	set_not_ready(sim, pod);
	pods_begin(sim, pod);
	return true;
}

void pods_lose(struct sim *sim, struct object *pod)
{
	pod->doomed = pod->lost = true;
	set_not_ready(sim, pod);
	pod->ready_at = -1;
	pod->evicted_at = sim->now_ms + (int64_t)sim_random(sim, EVICTION_MS);
}

void sim_heal(struct sim *sim)
{
	sim->broken_image = NULL;
	sim_each(pod, sim, &KIND_POD)
	{
		if (pod->now == NULL)
			continue;
		if (!pod->ready && !pod->deleting && pod->ready_at < 0)
			pod->ready_at = sim->now_ms + 1;
		if (pod->lost && pod->deleting)
			pod->gone_at = sim->now_ms + 1;
		pod->lost = false;
		pod->evicted_at = -1;
	}
}

bool pods_tick(struct sim *sim)
{
	sim_each(set, sim, &KIND_REPLICA_SET)
	{
		if (set->wake_at < 0 || set->wake_at > sim->now_ms)
			continue;
		set->wake_at = -1;
		set->dirty = true;
	}
	sim_each(pod, sim, &KIND_POD)
	{
		if (pod->evicted_at >= 0 && pod->evicted_at <= sim->now_ms) {
			pod->evicted_at = -1;
			if (pod->now != NULL)
				sim_delete(sim, pod, NULL);
			return true;
		}
		if (pod->gone_at >= 0 && pod->gone_at <= sim->now_ms) {
			pod->gone_at = -1;
			sim_remove(sim, pod);
			return true;
		}
		if (pod->ready_at >= 0 && pod->ready_at <= sim->now_ms) {
			pod->ready_at = -1;
			start_pod(sim, pod);
			return true;
		}
	}
	return false;
}

static void earlier(int64_t *next, int64_t at)
{
	if (at >= 0 && (*next < 0 || at < *next))
		*next = at;
}

int64_t pods_next_time(const struct sim *sim)
{
	int64_t next = -1;
	sim_each(set, sim, &KIND_REPLICA_SET) earlier(&next, set->wake_at);
	sim_each(pod, sim, &KIND_POD)
	{
		earlier(&next, pod->evicted_at);
		earlier(&next, pod->gone_at);
		earlier(&next, pod->ready_at);
	}
	return next;
}
