/* --steps: what is accepted never decreases, ends with everything, and never has too few pods. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "release/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct plan *plan)
{
	for (int i = 0; i < plan->batch_count; i++) {
		const struct batch *batch = &plan->batches[i];
		if (batch->canary < 1 || batch->canary + batch->stable < plan->replicas ||
			batch->weight < 1 || batch->weight > 100)
			abort();
		if (i > 0 && (batch->canary < batch[-1].canary || batch->weight < batch[-1].weight))
			abort();
	}
	if (plan->batches[plan->batch_count - 1].canary != plan->replicas)
		abort();
}

/* The first byte chooses the number of replicas and the mode, the rest is the list. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return 0;
	AUTO_STRING steps = mem_strndup((const char *)bytes + 1, size - 1);
	struct plan plan = {
		.replicas = 1 + bytes[0] / 2,
		.traffic = bytes[0] % 2 == 0 ? TRAFFIC_ISTIO : TRAFFIC_REPLICAS,
	};
	if (plan_set_steps(&plan, steps, NULL) == 0)
		check(&plan);
	return 0;
}
