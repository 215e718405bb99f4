/* Records: damaged ones are refused, others are the same after they were written and read. */
#include <stdint.h>
#include <stdlib.h>

#include "api/object.h"
#include "base/mem.h"
#include "release/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The ConfigMap whose data.release is the input. */
static json *configmap_of(const uint8_t *bytes, size_t size)
{
	json *configmap = object_new(&KIND_CONFIG_MAP, "shop", "batchrollout-web");
	AUTO_STRING text = mem_strndup((const char *)bytes, size);
	json *data = json_ensure_object(configmap, "data");
	json_set_text(data, "release", text);
	json_set_text(data, "history", "[]");
	return configmap;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	AUTO_JSON configmap = configmap_of(bytes, size);
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(record_release) struct record again = {0};
	if (record_parse(configmap, &record, NULL) != 0)
		return 0;
	AUTO_JSON written = record_to_configmap(&record);
	if (record_parse(written, &again, NULL) != 0)
		abort();
	AUTO_JSON rewritten = record_to_configmap(&again);
	if (!json_equal(written, rewritten))
		abort();
	return 0;
}
