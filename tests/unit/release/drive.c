/* Taking a release on where its record cannot be read. */
#include "release/drive.h"

#include "unit/release/cluster.h"

static int refuse_change(struct record *record, void *context, struct err *err)
{
	(void)record;
	(void)context;
	return err_set(err, ERR_FAILED, "there is nothing to change");
}

static void assert_claim(
	const char *objects, bool recovers, int expected, const char *says, const char *says_not)
{
	AUTO_JSON cluster = tree(objects);
	struct ports ports = {.api = cluster_of(cluster)};
	struct claim claim = {.namespace = "shop",
		.service = "web",
		.take_over = true,
		.recovers = recovers,
		.change = refuse_change};
	CLEANUP(record_release) struct record record = {0};
	struct err err = {0};
	assert_int_equal(claim_release(&ports, &claim, &record, &err), expected);
	assert_contains(err.message, says);
	if (says_not != NULL)
		assert_null(strstr(err.message, says_not));
}

#define DAMAGED                                                                                    \
	"[{'kind': 'ConfigMap', 'metadata': {'name': 'batchrollout-web', 'namespace': 'shop'}, "   \
	"'data': {}}]"

/* Abort does not send to abort. */
static void damage_without_a_carrier(void **state)
{
	(void)state;
	assert_claim(DAMAGED, false, ERR_INVALID,
		"`kubectl batchrollout abort web -n shop` takes the release back", NULL);
	assert_claim(DAMAGED, true, ERR_INVALID,
		"the record configmap/batchrollout-web is damaged, and no object carries a release "
		"of service \"web\", so that there is nothing to take it back by; see what it "
		"holds with `kubectl get configmap batchrollout-web -n shop -o yaml`",
		"batchrollout abort");
	assert_claim("[]", true, ERR_NOT_FOUND, "no release of service \"web\"", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_without_a_carrier),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
