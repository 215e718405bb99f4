#include "traffic/rule.h"

#include <stdio.h>

#include "base/buf.h"
#include "data/regex.h"
#include "unit/traffic/trees.h"

static int parse(const char *const *texts, size_t count, json **ret, struct err *err)
{
	CLEANUP(str_list_release) struct str_list list = {0};
	for (size_t i = 0; i < count; i++)
		str_list_add(&list, texts[i]);
	return rules_parse(&list, ret, err);
}

static void assert_rule(const char *text, const char *expected)
{
	AUTO_JSON rules = NULL;
	struct err err = {0};
	if (parse(&text, 1, &rules, &err) != 0)
		fail_msg("%s", err.message);
	assert_int_equal(json_count(rules), 1);
	assert_tree(json_at(rules, 0), expected);
}

static void conditions_become_string_matches(void **state)
{
	(void)state;
	assert_rule("header:X-User=tester", "{'x-user': {'exact': 'tester'}}");
	assert_rule("header:x-region^=eu-,header:x-tier~gold|silver",
		"{'x-region': {'prefix': 'eu-'}, 'x-tier': {'regex': 'gold|silver'}}");
	assert_rule("header:accept=a\\,b", "{'accept': {'exact': 'a,b'}}");
	assert_rule("header:x~a{1\\,2}\\d", "{'x': {'regex': 'a{1,2}\\\\d'}}");
	assert_rule("header:x~a\\\\\\,b", "{'x': {'regex': 'a\\\\\\\\,b'}}");
	assert_rule(
		"header:x~a\\\\,header:y=b", "{'x': {'regex': 'a\\\\\\\\'}, 'y': {'exact': 'b'}}");
	assert_rule("header:x=a b;é", "{'x': {'exact': 'a b;é'}}");
	assert_rule("header:x^=a ", "{'x': {'prefix': 'a '}}");
	assert_rule("header:x^y=b", "{'x^y': {'exact': 'b'}}");
	assert_rule("header:x==a", "{'x': {'exact': '=a'}}");
	assert_rule("header:x=a~b", "{'x': {'exact': 'a~b'}}");
}

static void several_rules_stay_apart(void **state)
{
	(void)state;
	static const char *const TEXTS[] = {"header:a=1", "header:b=2,header:c=3"};
	AUTO_JSON rules = NULL;
	assert_int_equal(parse(TEXTS, 2, &rules, NULL), 0);
	assert_tree(rules, "[{'a': {'exact': '1'}},"
			   " {'b': {'exact': '2'}, 'c': {'exact': '3'}}]");
}

static void bad_rules_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *reason;
	} CASES[] = {
		{"", "empty"},
		{"user=tester", "neither cookie: nor header:"},
		{"header:a=1,2", "a comma within a value"},
		{"header:a", "has no value"},
		{"header:a=", "value is empty"},
		{"header:=a", "name is empty"},
		{"header:^=a", "name is empty"},
		{"header:a b=c", "not the name of a header"},
		{"header::path=/", "not a header to Istio"},
		{"header:URI=/", "not a header to Istio"},
		{"header:authority=x", "not a header to Istio"},
		{"header:Cookie=a=b", "cookie:NAME=VALUE"},
		{"header:a=1,header:A=2", "twice"},
		{"cookie:a=1,cookie:a=2", "twice"},
		{"cookie:a=1;b", "has no ';'"},
		{"cookie:a=\"x\"", "has no '\"'"},
		{"cookie:a=1,cookie:b=1,cookie:c=1,cookie:d=1", "more than 3 cookies"},
		{"header:a=x\ny", "control character"},
		{"header:a= b", "begins or ends with a space"},
		{"header:a=b ", "begins or ends with a space"},
		{"header:a^= b", "begins or ends with a space"},
		{"header:a=\xff", "must be UTF-8"},
		{"header:a~(?=x)", "character 1"},
		{"header:a~x(", "character 2"},
		{"cookie:a~(a)\\1", "character 4"},
		{"cookie:a~x;y", "never contains ';', at character 2"},
		{"cookie:a~[!-~]", "would match ';'"},
		{"cookie:a~^x$", "leave its ends out"},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO_JSON rules = NULL;
		struct err err = {0};
		if (parse(&CASES[i].text, 1, &rules, &err) != ERR_USAGE)
			fail_msg("\"%s\" is taken", CASES[i].text);
		assert_contains(err.message, CASES[i].reason);
	}
}

static void there_are_limits(void **state)
{
	(void)state;
	const char *texts[RULES_MAXIMUM + 1];
	char buffers[RULES_MAXIMUM + 1][32];
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		(void)snprintf(buffers[i], sizeof(buffers[i]), "header:a=%zu", i);
		texts[i] = buffers[i];
	}
	AUTO_JSON rules = NULL;
	assert_int_equal(parse(texts, RULES_MAXIMUM, &rules, NULL), 0);
	assert_int_equal(parse(texts, RULES_MAXIMUM + 1, &rules, NULL), ERR_USAGE);
	texts[1] = texts[0];
	assert_int_equal(parse(texts, 2, &rules, NULL), ERR_USAGE);
	static const char *const SAME[] = {
		"header:x=y,cookie:a=b,cookie:c=d", "cookie:c=d,cookie:a=b,header:X=y"};
	assert_int_equal(parse(SAME, 2, &rules, NULL), ERR_USAGE);
	char long_rule[2 * RULE_MAXIMUM_BYTES];
	(void)snprintf(long_rule, sizeof(long_rule), "header:a=%01100d", 0);
	texts[0] = long_rule;
	assert_int_equal(parse(texts, 1, &rules, NULL), ERR_USAGE);
}

/* --- cookies -------------------------------------------------------------------------------- */

static bool cookie_matches(const char *rule, const char *header)
{
	AUTO_JSON rules = NULL;
	AUTO_REGEX regex = NULL;
	struct err err = {0};
	if (parse(&rule, 1, &rules, &err) != 0)
		fail_msg("%s", err.message);
	const char *pattern = json_path_text(json_at(rules, 0), "cookie", "regex", NULL);
	if (regex_compile(pattern, &regex, &err) != 0)
		fail_msg("%s", err.message);
	int result = regex_matches(regex, header);
	assert_true(result >= 0);
	return result == 1;
}

static void cookies_are_found_wherever_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *rule, *header;
		bool matches;
	} CASES[] = {
		{"cookie:user=tester", "user=tester", true},
		{"cookie:user=tester", "user=tester; a=b", true},
		{"cookie:user=tester", "a=b; user=tester", true},
		{"cookie:user=tester", "a=b;user=tester", true},
		{"cookie:user=tester", "a=b;\tuser=tester;c=d", true},
		{"cookie:user=tester", "a=b; user=tester; c=d", true},
		{"cookie:user=tester", "user=other; user=tester", true},
		{"cookie:user=tester", "xuser=tester", false},
		{"cookie:user=tester", "a=b; xuser=tester", false},
		{"cookie:user=tester", "a=user=tester", false},
		{"cookie:user=tester", "user=tester2", false},
		{"cookie:user=tester", "user=teste", false},
		{"cookie:user=tester", "user=Tester", false},
		{"cookie:user=tester", "user2=tester", false},
		{"cookie:user=tester", "", false},
		{"cookie:user=tester", "a=b; user=x; c=tester", false},
		{"cookie:us.r=t.s*", "us.r=t.s*", true},
		{"cookie:us.r=t.s*", "user=tess", false},
		{"cookie:user^=te", "a=b; user=tester; c=d", true},
		{"cookie:user^=te", "a=b; user=te", true},
		{"cookie:user^=te", "a=b; user=t; c=te", false},
		{"cookie:user~t.*r", "user=tester; a=b", true},
		{"cookie:user~t.*r", "user=tes; a=r", false},
		{"cookie:user~t[^x]*r", "user=tes; a=r", false},
		{"cookie:user~t\\D*r", "user=tes; a=r", false},
		{"cookie:user~a|b", "user=b", true},
		{"cookie:user~a|b", "xb", false},
		{"cookie:a=1,cookie:b=2", "a=1; b=2", true},
		{"cookie:a=1,cookie:b=2", "b=2; a=1", true},
		{"cookie:a=1,cookie:b=2", "x=y;b=2;c=d; a=1; e=f", true},
		{"cookie:a=1,cookie:b=2", "a=1", false},
		{"cookie:a=1,cookie:b=2", "a=1; bb=2", false},
		{"cookie:a=1,cookie:b=2", "a=1; c=b=2", false},
		{"cookie:a=1,cookie:b=2,cookie:c=3", "c=3; a=1; b=2", true},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		if (cookie_matches(CASES[i].rule, CASES[i].header) != CASES[i].matches)
			fail_msg("%s and \"%s\"", CASES[i].rule, CASES[i].header);
}

/* The same question, answered by splitting the header. */
static bool has_cookie(const char *header, const char *pair)
{
	CLEANUP(str_list_release) struct str_list cookies = {0};
	str_split(header, ';', &cookies);
	for (size_t i = 0; i < cookies.count; i++) {
		const char *cookie = cookies.items[i];
		if (i > 0)
			cookie += strspn(cookie, " \t");
		if (str_equal(cookie, pair))
			return true;
	}
	return false;
}

static void cookies_are_found_in_any_header(void **state)
{
	(void)state;
	static const char *const PIECES[] = {
		"a", "b", "ab", "=", "=", ";", "; ", " ", "a=b", "; a=b", "\t", "."};
	uint32_t random = 1;
	for (int i = 0; i < 20000; i++) {
		AUTO_BUF header = BUF_INIT(64);
		for (int piece = 0; piece < 8; piece++) {
			random = random * 1664525 + 1013904223;
			buf_add_text(&header, PIECES[(random >> 16) % COUNT_OF(PIECES)]);
		}
		const char *text = buf_text(&header);
		if (cookie_matches("cookie:a=b", text) != has_cookie(text, "a=b"))
			fail_msg("\"%s\"", text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_become_string_matches),
		cmocka_unit_test(several_rules_stay_apart),
		cmocka_unit_test(bad_rules_are_refused),
		cmocka_unit_test(there_are_limits),
		cmocka_unit_test(cookies_are_found_wherever_they_are),
		cmocka_unit_test(cookies_are_found_in_any_header),
	};
	return cmocka_run_group_tests_name("traffic/rule", tests, NULL, NULL);
}
