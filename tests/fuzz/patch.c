/* JSON and JSON Patch: the difference of any two trees makes the second of the first. */
#include <stdint.h>
#include <stdlib.h>

#include "api/patch.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The input is an array of two trees. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	AUTO_JSON pair = NULL;
	if (json_parse((const char *)bytes, size, &pair, NULL) != 0 || json_count(pair) != 2)
		return 0;
	const json *before = json_first(pair), *after = json_next(json_first(pair));
	AUTO_JSON patch = patch_from_difference(before, after);
	AUTO_JSON result = json_copy(before);
	if (patch_apply(&result, patch, NULL) != 0 || !json_equal(result, after))
		abort();
	return 0;
}
