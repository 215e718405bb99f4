#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void encodes_and_decodes(void **state)
{
	(void)state;
	/* The test vectors of RFC 4648, section 10. */
	static const struct {
		const char *plain, *encoded;
	} VECTORS[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
		{"\xff\xfe\xfd", "//79"}};
	for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
		AUTO_STRING encoded = base64_encode(VECTORS[i].plain, strlen(VECTORS[i].plain));
		assert_string_equal(encoded, VECTORS[i].encoded);
		AUTO_STRING plain = NULL;
		size_t length = 99;
		assert_int_equal(base64_decode(encoded, &plain, &length, NULL), 0);
		assert_int_equal(length, strlen(VECTORS[i].plain));
		assert_string_equal(plain, VECTORS[i].plain);
	}
}

static void skips_white_space(void **state)
{
	(void)state;
	AUTO_STRING plain = NULL;
	size_t length = 0;
	assert_int_equal(base64_decode(" Zm9v\nYm\r\n\tFy \n", &plain, &length, NULL), 0);
	assert_string_equal(plain, "foobar");
}

static void refuses_what_is_none(void **state)
{
	(void)state;
	static const char *const BAD[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Zh==", "Zm9=", "=",
		"====", "Zm=v", "Zm9v!", "Zm9-", "Zg===", "\xc3\xa9=="};
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		char *plain = NULL;
		size_t length = 0;
		struct err err = {0};
		assert_int_equal(base64_decode(BAD[i], &plain, &length, &err), ERR_INVALID);
		assert_string_equal(err.message, "not base64");
		assert_null(plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_and_decodes),
		cmocka_unit_test(skips_white_space),
		cmocka_unit_test(refuses_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
