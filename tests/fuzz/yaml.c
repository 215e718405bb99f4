/* YAML: whatever is read is printed so that it reads back as the same tree. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_round_trip(const json *document)
{
	AUTO_STRING text = yaml_print(document);
	AUTO_JSON again = NULL;
	size_t length = 0;
	while (text[length] != '\0')
		length++;
	if (yaml_parse(text, length, &again, NULL) != 0 || json_count(again) != 1 ||
		!json_equal(document, json_first(again)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	AUTO_JSON documents = NULL;
	if (yaml_parse((const char *)bytes, size, &documents, NULL) != 0)
		return 0;
	json_for_each (document, documents)
		check_round_trip(document);
	return 0;
}
