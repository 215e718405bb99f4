/*
 * Autoscalers that would like another number of pods each time they look: whatever can make them
 * scale does. They look while the canary is there and before that not, so that all numbers of a
 * release are its own; nor at a copy that has stayed.
 */
#include "sim/sim.h"

struct limits {
	int minimum, maximum;
	bool up, down;
};

static bool is_disabled(const json *autoscaler, const char *direction)
{
	return str_equal(
		json_path_text(autoscaler, "spec", "behavior", direction, "selectPolicy", NULL),
		"Disabled");
}

static struct limits limits_of_autoscaler(const json *autoscaler)
{
	const json *spec = json_get(autoscaler, "spec");
	return (struct limits){
		.minimum = (int)json_get_integer(spec, "minReplicas", 1),
		.maximum = (int)json_get_integer(spec, "maxReplicas", 1),
		.up = !is_disabled(autoscaler, "scaleUp"),
		.down = !is_disabled(autoscaler, "scaleDown"),
	};
}

static struct limits limits_of_scaled_object(const json *scaled_object)
{
	const json *spec = json_get(scaled_object, "spec");
	bool works =
		!str_equal(object_annotation(scaled_object, "autoscaling.keda.sh/paused"), "true");
	return (struct limits){
		.minimum = works ? (int)json_get_integer(spec, "minReplicaCount", 1) : 0,
		.maximum = works ? (int)json_get_integer(spec, "maxReplicaCount", 1) : 1000,
		.up = works,
		.down = works,
	};
}

/* The limits come first, the policies only where there is a choice. */
static int choose(struct sim *sim, int replicas, const struct limits *limits)
{
	if (replicas == 0)
		return 0;
	if (replicas > limits->maximum)
		return limits->maximum;
	if (replicas < limits->minimum)
		return limits->minimum;
	int wish = limits->minimum +
		   (int)sim_random(sim, (size_t)limits->maximum - (size_t)limits->minimum + 1);
	return (wish > replicas && limits->up) || (wish < replicas && limits->down) ? wish
										    : replicas;
}

static bool scale(struct sim *sim, const struct object *scaler, const struct limits *limits)
{
	struct object *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web");
	const char *target = json_path_text(scaler->now, "spec", "scaleTargetRef", "name", NULL);
	if (stable == NULL || !str_equal(target, "web"))
		return false;
	int replicas = (int)json_integer(json_path(stable->now, "spec", "replicas", NULL), 1);
	int chosen = choose(sim, replicas, limits);
	if (chosen == replicas)
		return false;
	json *tree = json_copy(stable->now);
	json_set_integer(json_get(tree, "spec"), "replicas", chosen);
	sim_put(sim, stable, tree);
	return true;
}

bool autoscalers_sync(struct sim *sim)
{
	if (!sim->autoscaled || sim->now_ms < sim->autoscaler_next_ms ||
		sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web-v2") == NULL)
		return false;
	sim->autoscaler_next_ms = sim->now_ms + sim->autoscaler_period_ms;
	struct object *autoscaler =
		sim_find(sim, &KIND_HORIZONTAL_POD_AUTOSCALER, NAMESPACE, "web");
	struct object *scaled_object = sim_find(sim, &KIND_SCALED_OBJECT, NAMESPACE, "queue");
	struct limits limits;
	if (autoscaler != NULL) {
		limits = limits_of_autoscaler(autoscaler->now);
		if (scale(sim, autoscaler, &limits))
			return true;
	}
	if (scaled_object == NULL)
		return false;
	limits = limits_of_scaled_object(scaled_object->now);
	return scale(sim, scaled_object, &limits);
}
