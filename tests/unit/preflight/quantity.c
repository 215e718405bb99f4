#include "preflight/quantity.h"

#include "unit/traffic/random.h"
#include "unit/traffic/trees.h"

static quantity parsed(const char *text)
{
	quantity value = -1;
	struct err err = {0};
	if (quantity_parse(text, &value, &err) != 0)
		fail_msg("%s", err.message);
	return value;
}

static void assert_quantity(const char *text, quantity expected)
{
	if (parsed(text) != expected)
		fail_msg("%s is not what was expected", text);
}

static void exact_values(void **state)
{
	(void)state;
	assert_quantity("0", 0);
	assert_quantity("1", QUANTITY_ONE);
	assert_quantity("+3", 3 * QUANTITY_ONE);
	assert_quantity("-3", -3 * QUANTITY_ONE);
	assert_quantity("500m", QUANTITY_ONE / 2);
	assert_quantity("0.5", QUANTITY_ONE / 2);
	assert_quantity(".5", QUANTITY_ONE / 2);
	assert_quantity("5.", 5 * QUANTITY_ONE);
	assert_quantity("007", 7 * QUANTITY_ONE);
	assert_quantity("1n", 1);
	assert_quantity("1u", 1000);
	assert_quantity("1e3", 1000 * QUANTITY_ONE);
	assert_quantity("1E3", 1000 * QUANTITY_ONE);
	assert_quantity("1e+3", 1000 * QUANTITY_ONE);
	assert_quantity("15e-1", 3 * QUANTITY_ONE / 2);
	assert_quantity("1.5e3", 1500 * QUANTITY_ONE);
	assert_quantity("1k", 1000 * QUANTITY_ONE);
	assert_quantity("1E", quantity_of(INT64_C(1000000000000000000)));
	assert_quantity("1Ki", 1024 * QUANTITY_ONE);
	assert_quantity("1Gi", quantity_of(INT64_C(1) << 30));
	assert_quantity("1.5Gi", quantity_of(INT64_C(3) << 29));
	assert_quantity("0.1Ki", 102400000000);
	assert_quantity("9223372036854775807", quantity_of(INT64_MAX));
}

/* Finer than 10^-9 is rounded away from zero, more than 2^63-1 is that. */
static void values_at_the_limits(void **state)
{
	(void)state;
	assert_quantity("0.1n", 1);
	assert_quantity("-0.1n", -1);
	assert_quantity("1.0000000001", QUANTITY_ONE + 1);
	assert_quantity("0.000000000000000001Ki", 1);
	assert_quantity("1e-99", 1);
	assert_quantity("8Ei", quantity_of(INT64_MAX));
	assert_quantity("7.999999999999999999Ei", quantity_of(INT64_MAX) - 152921504);
	assert_quantity("100E", quantity_of(INT64_MAX));
	assert_quantity("1e99", quantity_of(INT64_MAX));
	assert_quantity("-1e99", -quantity_of(INT64_MAX));
	assert_quantity("9999999999999999999", quantity_of(INT64_MAX));
	assert_quantity("0e99", 0);
}

static void no_quantities(void **state)
{
	(void)state;
	static const char *const TEXTS[] = {"", "-", ".", "m", "Gi", "1 Gi", "1gi", "1GI", "1K",
		"1mi", "1e", "1e3x", "1e1.5", "e3", "1.2.3", "0x10", "1,5", "--1", "1Gi ", "inf",
		"nan", "1e1000", "10000000000000000000", "0.0000000000000000001"};
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
		quantity value = 7;
		if (quantity_parse(TEXTS[i], &value, NULL) != ERR_INVALID)
			fail_msg("\"%s\" was taken for a quantity", TEXTS[i]);
		assert_true(value == 7);
	}
}

static void assert_text(const char *text, const char *resource, const char *expected)
{
	AUTO_STRING printed = quantity_text(parsed(text), resource);
	assert_string_equal(printed, expected);
}

static void texts(void **state)
{
	(void)state;
	assert_text("0", "pods", "0");
	assert_text("4000", "cpu", "4000");
	assert_text("2048", "requests.cpu", "2048");
	assert_text("1.5", "cpu", "1500m");
	assert_text("1000000", "pods", "1000000");
	assert_text("1500Mi", "memory", "1500Mi");
	assert_text("1024Mi", "limits.memory", "1Gi");
	assert_text("1500000000", "memory", "1500M");
	assert_text("12345", "requests.ephemeral-storage", "12345");
	assert_text("-500m", "cpu", "-500m");
	assert_text("1n", "cpu", "1n");
	/* More digits than a suffix may stand behind. */
	assert_text(".23304Pi", "memory", "262379714290605.09696");
	assert_text("9223372036854775807", "pods", "9223372036854775807");
}

/* What is printed is read as the same, and sums of what is read are the sums. */
static void texts_are_exact(void **state)
{
	(void)state;
	static const char *const RESOURCES[] = {"cpu", "memory"};
	static const char *const SUFFIXES[] = {
		"n", "u", "m", "", "k", "M", "G", "Ki", "Mi", "Gi", "e2", "e-3"};
	struct random random = {.state = 7};
	for (int i = 0; i < 20000; i++) {
		AUTO_STRING text = mem_format("%s%u.%u%s", once_in(&random, 2) ? "-" : "",
			below(&random, 1000000), below(&random, 1000), ANY_OF(&random, SUFFIXES));
		quantity value = parsed(text);
		for (size_t j = 0; j < COUNT_OF(RESOURCES); j++) {
			AUTO_STRING printed = quantity_text(value, RESOURCES[j]);
			assert_quantity(printed, value);
		}
	}
}

/* N of the smaller unit are one of the greater. */
static void units_fit(void **state)
{
	(void)state;
	static const struct {
		const char *small, *great;
		int64_t factor;
	} PAIRS[] = {{"n", "u", 1000}, {"u", "m", 1000}, {"m", "", 1000}, {"", "k", 1000},
		{"k", "M", 1000}, {"M", "G", 1000}, {"G", "T", 1000}, {"T", "P", 1000},
		{"P", "E", 1000}, {"", "Ki", 1024}, {"Ki", "Mi", 1024}, {"Mi", "Gi", 1024},
		{"Gi", "Ti", 1024}, {"Ti", "Pi", 1024}, {"Pi", "Ei", 1024}};
	for (size_t i = 0; i < COUNT_OF(PAIRS); i++)
		for (int64_t n = 1; n < 8; n++) {
			AUTO_STRING small =
				mem_format("%d%s", (int)(n * PAIRS[i].factor), PAIRS[i].small);
			AUTO_STRING great = mem_format("%d%s", (int)n, PAIRS[i].great);
			assert_quantity(small, parsed(great));
		}
}

static void nodes_of_trees(void **state)
{
	(void)state;
	AUTO_JSON object = tree("{'text': '2', 'number': 2, 'fraction': 0.5, 'list': []}");
	quantity value;
	assert_int_equal(quantity_read(json_get(object, "text"), &value, NULL), 0);
	assert_true(value == 2 * QUANTITY_ONE);
	assert_int_equal(quantity_read(json_get(object, "number"), &value, NULL), 0);
	assert_true(value == 2 * QUANTITY_ONE);
	assert_int_equal(quantity_read(json_get(object, "fraction"), &value, NULL), 0);
	assert_true(value == QUANTITY_ONE / 2);
	assert_int_equal(quantity_read(json_get(object, "list"), &value, NULL), ERR_INVALID);
	assert_int_equal(quantity_read(NULL, &value, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_values),
		cmocka_unit_test(values_at_the_limits),
		cmocka_unit_test(no_quantities),
		cmocka_unit_test(texts),
		cmocka_unit_test(texts_are_exact),
		cmocka_unit_test(units_fit),
		cmocka_unit_test(nodes_of_trees),
	};
	return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
