/* Quantities: what is read is printed so that it reads as the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "preflight/quantity.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const RESOURCES[] = {"cpu", "memory"};
	AUTO_STRING text = mem_strndup((const char *)bytes, size);
	quantity value, again;
	if (quantity_parse(text, &value, NULL) != 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(RESOURCES); i++) {
		AUTO_STRING printed = quantity_text(value, RESOURCES[i]);
		if (quantity_parse(printed, &again, NULL) != 0 || again != value)
			abort();
	}
	return 0;
}
