#include "base/parse.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"

static void integers(void **state)
{
	(void)state;
	int64_t number = 99;
	assert_int_equal(parse_int("0", 0, 10, &number, NULL), 0);
	assert_int_equal(number, 0);
	assert_int_equal(parse_int("-3", -3, 10, &number, NULL), 0);
	assert_int_equal(number, -3);
	assert_int_equal(parse_int("9223372036854775807", INT64_MIN, INT64_MAX, &number, NULL), 0);
	assert_true(number == INT64_MAX);
}

static void bad_integers(void **state)
{
	(void)state;
	static const char *const BAD[] = {"", " 1", "1 ", "+1", "0x1", "1e3", "1.0", "a", "-", "11",
		"-1", "9223372036854775808", "99999999999999999999"};
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		int64_t number = 99;
		struct err err = {0};
		assert_int_equal(parse_int(BAD[i], 0, 10, &number, &err), ERR_USAGE);
		assert_int_equal(number, 99);
		assert_non_null(strstr(err.message, BAD[i]));
	}
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"0", 0}, {"0s", 0}, {"2s", 2000}, {"500ms", 500}, {"1m30s", 90000},
		{"1.5h", 5400000}, {"1h2m3s4ms", 3723004}, {".5s", 500}, {"1.s", 1000},
		{"100m", 6000000}, {"0.4ms", 0}, {"0.6ms", 1}};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		int64_t ms = -1;
		if (parse_duration(good[i].text, &ms, NULL) != 0 || ms != good[i].ms)
			fail_msg("%s is %" PRId64, good[i].text, ms);
	}
}

static void bad_durations(void **state)
{
	(void)state;
	static const char *const BAD[] = {"", "1", "s", "-1s", "+1s", "1 s", "1s ", "1d", "1e3s",
		"0x1s", "infs", "nans", "1..5s", ".s", "1s2", "99999999999999h", "1S", "00"};
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		int64_t ms = -1;
		if (parse_duration(BAD[i], &ms, NULL) != ERR_USAGE || ms != -1)
			fail_msg("%s is taken as %" PRId64, BAD[i], ms);
	}
}

static void written_durations_read_back(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0s"}, {1, "1ms"}, {2000, "2s"}, {90000, "1m30s"}, {600000, "10m"},
		{3600000, "1h"}, {3723004, "1h2m3s4ms"}, {86400000, "24h"}};
	char buffer[32];
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(format_duration(cases[i].ms, buffer), cases[i].text);
	for (int64_t ms = 0; ms < 100000000; ms = ms * 3 + 7) {
		int64_t back = -1;
		assert_int_equal(parse_duration(format_duration(ms, buffer), &back, NULL), 0);
		assert_true(back == ms);
	}
}

static void label_values(void **state)
{
	(void)state;
	static const char LONGEST[] =
		"a23456789012345678901234567890123456789012345678901234567890123";
	assert_int_equal(strlen(LONGEST), 63);
	static const char *const GOOD[] = {"v1", "1", "V1.2_3-x", LONGEST};
	static const char *const BAD[] = {"", "-a", "a-", ".a", "a_", "a b", "a/b", "a:b", "ä",
		"a234567890123456789012345678901234567890123456789012345678901234"};
	for (size_t i = 0; i < COUNT_OF(GOOD); i++)
		assert_int_equal(check_label_value(GOOD[i], NULL), 0);
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		assert_int_equal(check_label_value(BAD[i], NULL), ERR_USAGE);
}

static void object_names(void **state)
{
	(void)state;
	static const char *const GOOD[] = {"web", "web-v2", "0", "a.b"};
	static const char *const BAD[] = {"", "Web", "-a", "a-", "a_b", "a b", "a/b", ".a", "a."};
	for (size_t i = 0; i < COUNT_OF(GOOD); i++)
		assert_int_equal(check_object_name(GOOD[i], 253, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		if (check_object_name(BAD[i], 253, NULL) != ERR_USAGE)
			fail_msg("\"%s\" is taken", BAD[i]);
	assert_int_equal(check_object_name("a.b", 63, NULL), ERR_USAGE);
	assert_int_equal(check_object_name("abcd", 3, NULL), ERR_USAGE);
	/* RFC 1123: each label of a subdomain begins and ends with a letter or digit. */
	assert_int_equal(check_object_name("a..b", 253, NULL), ERR_USAGE);
	assert_int_equal(check_object_name("a.-b", 253, NULL), ERR_USAGE);
	assert_int_equal(check_object_name("a-.b", 253, NULL), ERR_USAGE);
}

static void moments(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
	} CASES[] = {{"1970-01-01T00:00:00Z", 0}, {"2026-01-31T12:00:00Z", 1769860800},
		{"2024-02-29T23:59:59Z", 1709251199}, {"2038-01-19T03:14:08Z", 2147483648}};
	static const char *const BAD[] = {"", "2026-01-31", "2026-01-31 12:00:00",
		"2026-01-31T12:00:00", "2026-13-31T12:00:00Z", "2026-01-31T12:00:00Zx", "now"};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		int64_t seconds = -1;
		assert_int_equal(parse_time(CASES[i].text, &seconds, NULL), 0);
		assert_true(seconds == CASES[i].seconds);
	}
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		int64_t seconds = -1;
		if (parse_time(BAD[i], &seconds, NULL) == 0)
			fail_msg("\"%s\" is taken", BAD[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(bad_integers),
		cmocka_unit_test(durations),
		cmocka_unit_test(bad_durations),
		cmocka_unit_test(written_durations_read_back),
		cmocka_unit_test(label_values),
		cmocka_unit_test(object_names),
		cmocka_unit_test(moments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
