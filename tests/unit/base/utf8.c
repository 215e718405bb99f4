#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

static void characters(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t length;
		uint32_t character;
	} cases[] = {{"a", 1, 'a'}, {"\x7f", 1, 0x7f}, {"\xc2\x80", 2, 0x80}, {"é!", 2, 0xe9},
		{"\xdf\xbf", 2, 0x7ff}, {"\xe0\xa0\x80", 3, 0x800}, {"€", 3, 0x20ac},
		{"\xed\x9f\xbf", 3, 0xd7ff}, {"\xee\x80\x80", 3, 0xe000},
		{"\xf0\x90\x80\x80", 4, 0x10000}, {"\xf4\x8f\xbf\xbf", 4, 0x10ffff}, {"", 1, 0}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint32_t character = 1;
		assert_int_equal(utf8_decode(cases[i].text, &character), cases[i].length);
		assert_int_equal(character, cases[i].character);
		assert_true(utf8_valid(cases[i].text));
	}
}

static void broken(void **state)
{
	(void)state;
	static const char *const BROKEN[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3",
		"\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82(", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe",
		"\xff"};
	for (size_t i = 0; i < COUNT_OF(BROKEN); i++) {
		uint32_t character = 1;
		assert_int_equal(utf8_decode(BROKEN[i], &character), 0);
		assert_int_equal(character, 1);
		assert_false(utf8_valid(BROKEN[i]));
		AUTO_STRING inside = mem_format("a%s", BROKEN[i]);
		assert_false(utf8_valid(inside));
	}
}

static void counting(void **state)
{
	(void)state;
	assert_int_equal(utf8_count("aé€😀", 10), 4);
	assert_int_equal(utf8_count("aé€😀", 3), 2);
	assert_int_equal(utf8_count("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters),
		cmocka_unit_test(broken),
		cmocka_unit_test(counting),
	};
	return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
