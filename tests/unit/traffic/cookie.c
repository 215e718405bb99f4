#include "traffic/cookie.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "data/regex.h"
#include "unit/traffic/trees.h"

static struct regex *compile(const char *pattern)
{
	struct regex *regex = NULL;
	struct err err = {0};
	if (regex_compile(pattern, &regex, &err) != 0)
		fail_msg("%s", err.message);
	return regex;
}

static char *value_pattern(const char *regex)
{
	char *pattern = NULL;
	struct err err = {0};
	if (cookie_value_pattern(regex, &pattern, &err) != 0)
		fail_msg("%s", err.message);
	return pattern;
}

/* --- headers -------------------------------------------------------------------------------- */

static void assert_headers(
	const struct regex *regex, const char *const *headers, size_t count, int expected)
{
	for (size_t i = 0; i < count; i++)
		if (regex_matches(regex, headers[i]) != expected)
			fail_msg("\"%s\" does%s match", headers[i], expected == 1 ? " not" : "");
}

static void one_cookie_anywhere(void **state)
{
	(void)state;
	static const char *const FOUND[] = {"user=tester", "user=tester; a=b", "user=tester;a=b",
		"a=b; user=tester", "a=b;user=tester", "a=b;\tuser=tester", "a=b; \t user=tester",
		"a=b; user=tester; c=d", "a=b;user=tester;c=d", "user=tester;", "; user=tester",
		"a=b;; user=tester", "a; user=tester", "user=x; user=tester",
		"a=\"b c\"; user=tester", "a=é; user=tester",
		"a=b=c; user=tester; =", "xuser=tester; user=tester", "user=tester2; user=tester"};
	static const char *const NOT_FOUND[] = {"", "user", "user=", "tester", "user=teste",
		"user=tester2", "xuser=tester", "user2=tester", "User=tester", "user=Tester",
		"a=user=tester", "a=b user=tester", "a=b, user=tester", "user =tester",
		"user= tester", "user=tester ; a=b", "user=tester a=b", "a=b; xuser=tester; c=d",
		"a=\"user=tester\"", "user=\"tester\"", "a=b; user=tester2; user2=tester",
		"user=;tester", "user=x tester", "u=ser=tester"};
	AUTO_STRING pattern = cookie_pattern("user", "tester");
	AUTO_REGEX regex = compile(pattern);
	assert_headers(regex, FOUND, COUNT_OF(FOUND), 1);
	assert_headers(regex, NOT_FOUND, COUNT_OF(NOT_FOUND), 0);
}

static void names_are_quoted(void **state)
{
	(void)state;
	static const char *const FOUND[] = {"a.b*c|d^=1", "x=y; a.b*c|d^=1"};
	static const char *const NOT_FOUND[] = {
		"axb*c|d^=1", "a.bbc|d^=1", "a.b*c=1", "d^=1", "a.b*c"};
	AUTO_STRING pattern = cookie_pattern("a.b*c|d^", "1");
	AUTO_REGEX regex = compile(pattern);
	assert_headers(regex, FOUND, COUNT_OF(FOUND), 1);
	assert_headers(regex, NOT_FOUND, COUNT_OF(NOT_FOUND), 0);
}

static void alternatives_stay_within_the_value(void **state)
{
	(void)state;
	static const char *const FOUND[] = {"user=a", "user=b", "x=y; user=b; z=a"};
	static const char *const NOT_FOUND[] = {"b", "user=c", "x=y; b", "user=", "userb", "x=b"};
	AUTO_STRING value = value_pattern("a|b");
	AUTO_STRING pattern = cookie_pattern("user", value);
	AUTO_REGEX regex = compile(pattern);
	assert_headers(regex, FOUND, COUNT_OF(FOUND), 1);
	assert_headers(regex, NOT_FOUND, COUNT_OF(NOT_FOUND), 0);
}

/* Flags hold for the value alone. */
static void flags_stay_within_the_value(void **state)
{
	(void)state;
	static const char *const FOUND[] = {"user=A", "x=y; user=a; z=a"};
	static const char *const NOT_FOUND[] = {"User=a", "USER=A"};
	AUTO_STRING value = value_pattern("(?i)a");
	AUTO_STRING pattern = cookie_pattern("user", value);
	AUTO_REGEX regex = compile(pattern);
	assert_headers(regex, FOUND, COUNT_OF(FOUND), 1);
	assert_headers(regex, NOT_FOUND, COUNT_OF(NOT_FOUND), 0);
}

static void several_cookies_in_any_order(void **state)
{
	(void)state;
	static const char *const FOUND[] = {"a=1; b=2; c=3", "c=3; b=2; a=1", "b=2;a=1;c=3",
		"x=y; b=2; c=3; z=0; a=1; d=4", "a=0; b=2; c=3; a=1"};
	static const char *const NOT_FOUND[] = {"a=1; b=2", "a=1; b=2; xc=3", "a=1; b=2; c=33",
		"a=1, b=2, c=3", "a=1b=2c=3", "a=1; b=2; x=c=3", "a=1; a=1; a=1"};
	char *const pairs[] = {(char[]){"a=1"}, (char[]){"b=2"}, (char[]){"c=3"}};
	AUTO_STRING pattern = cookies_pattern(pairs, COUNT_OF(pairs));
	AUTO_REGEX regex = compile(pattern);
	assert_headers(regex, FOUND, COUNT_OF(FOUND), 1);
	assert_headers(regex, NOT_FOUND, COUNT_OF(NOT_FOUND), 0);
}

/* --- values --------------------------------------------------------------------------------- */

static void values_end_at_a_semicolon(void **state)
{
	(void)state;
	static const struct {
		const char *regex;
		const char *pattern;
	} cases[] = {
		{"test.*", "test[^;]*"},
		{"(?s).", "(?s)[^;]"},
		{"\\.x", "\\.x"},
		{"[a-z]+?", "[a-z]+?"},
		{"[^a]", "[^;a]"},
		{"[^]a]", "[^;\\]a]"},
		{"[^]-a]", "[^;\\]-a]"},
		{"[^-a]", "[^;\\-a]"},
		{"[^--a]", "[^--a]"}, /* from "-" to "a", with ";" */
		{"[^^]", "[^;^]"},
		{"[^[:alpha:]]", "[^;[:alpha:]]"},
		{"[^;]", "[^;]"},
		{"[^\\W]", "[^\\W]"},
		{"[^\\D-]", "[^\\D-]"},
		{"[^\\d]", "[^;\\d]"},
		{"\\S\\D\\W\\s\\d\\w", "[^\\s;][^\\d;][^\\w;]\\s\\d\\w"},
		{"\\pL\\PL\\P{Greek}", "\\pL[^\\pL;][^\\p{Greek};]"},
		{"\\P{^Lu}", "\\P{^Lu}"},
		{"(a|b){2}", "(a|b){2}"},
		{"(?P<x>a)(?<y>b)(?:c)(?i:d)", "(?P<x>a)(?<y>b)(?:c)(?i:d)"},
		{"\\ba\\B", "\\ba\\B"},
		{"{}]", "{}]"},
		{"", ""},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *pattern = NULL;
		struct err err = {0};
		if (cookie_value_pattern(cases[i].regex, &pattern, &err) != 0)
			fail_msg("%s", err.message);
		AUTO_STRING grouped = mem_format("(?:%s)", cases[i].pattern);
		assert_string_equal(pattern, grouped);
		free(pattern);
	}
}

#define NEVER "a cookie's value never contains ';', at character "
#define WOULD "this would match ';', which ends a cookie's value, at character "
#define ENDS "all of the value is matched: leave its ends out, at character "

static void refused_values(void **state)
{
	(void)state;
	static const struct {
		const char *regex;
		const char *reason;
	} cases[] = {
		{"a;b", NEVER "2"},
		{"é\\x3b", NEVER "2"},
		{"\\073", NEVER "1"},
		{"a[;]", WOULD "2"},
		{"[!-~]", WOULD "1"},
		{"[\\S]", WOULD "1"},
		{"é[[:punct:]]", WOULD "2"},
		{"\\pP", WOULD "1"},
		{"\\p{^Lu}", WOULD "1"},
		{"^a", ENDS "1"},
		{"éa$", ENDS "3"},
		{"(?m)a$", ENDS "6"},
		{"a(?=b)", "look-ahead at character 2 is not RE2: (?="},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *pattern = NULL;
		struct err err = {0};
		if (cookie_value_pattern(cases[i].regex, &pattern, &err) != ERR_USAGE)
			fail_msg("%s is taken", cases[i].regex);
		assert_null(pattern);
		AUTO_STRING message = mem_format("\"%s\": %s", cases[i].regex, cases[i].reason);
		assert_string_equal(err.message, message);
	}
}

/* --- properties ----------------------------------------------------------------------------- */

#define HEADERS 20000

/* xorshift64*. */
static uint64_t random_state = 20260827;

static size_t below(size_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (size_t)((random_state * 0x2545F4914F6CDD1DULL) >> 33) % limit;
}

/* Near to "user=tester" and "group=1", in pieces that may fall together wrongly. */
static char *any_header(void)
{
	static const char *const PIECES[] = {"user=tester", "user=tester", "group=1", "group=1",
		"user=", "tester", "user", "=", "1", "x", "group=", "xuser=tester", "group=12",
		"tester2", "\"", ",", "a=b", ""};
	static const char *const SEPARATORS[] = {"; ", ";", "; ", ";\t ", " ", "", ""};
	AUTO_BUF header = BUF_INIT(1000);
	for (size_t i = below(10); i > 0; i--) {
		buf_add_text(&header, PIECES[below(COUNT_OF(PIECES))]);
		buf_add_text(&header, SEPARATORS[below(COUNT_OF(SEPARATORS))]);
	}
	return buf_take(&header);
}

/* What a cookie is, without any regular expression in the header. */
static bool has_cookie(const char *header, const char *name, const struct regex *value)
{
	CLEANUP(str_list_release) struct str_list pairs = {0};
	str_split(header, ';', &pairs);
	AUTO_STRING beginning = mem_format("%s=", name);
	for (size_t i = 0; i < pairs.count; i++) {
		/* What stands before the first, HTTP has taken away. */
		size_t blanks = i > 0 ? strspn(pairs.items[i], " \t") : 0;
		const char *pair = pairs.items[i] + blanks;
		if (str_starts(pair, beginning) &&
			regex_matches(value, pair + strlen(beginning)) == 1)
			return true;
	}
	return false;
}

static void assert_agrees(const char *user_regex, size_t *ret_found)
{
	AUTO_STRING user = value_pattern(user_regex);
	AUTO_STRING user_pair = cookie_pair("user", user);
	AUTO_STRING group_pair = cookie_pair("group", "1");
	char *const pairs[] = {user_pair, group_pair};
	AUTO_STRING one_pattern = cookie_pattern("user", user);
	AUTO_STRING two_pattern = cookies_pattern(pairs, COUNT_OF(pairs));
	AUTO_REGEX one = compile(one_pattern);
	AUTO_REGEX two = compile(two_pattern);
	AUTO_REGEX user_value = compile(user_regex);
	AUTO_REGEX group_value = compile("1");
	for (size_t i = 0; i < HEADERS; i++) {
		AUTO_STRING header = any_header();
		bool has_user = has_cookie(header, "user", user_value);
		bool has_both = has_user && has_cookie(header, "group", group_value);
		if (regex_matches(one, header) != has_user)
			fail_msg("%s with user~%s: expected %d", header, user_regex, has_user);
		if (regex_matches(two, header) != has_both)
			fail_msg(
				"%s with both, user~%s: expected %d", header, user_regex, has_both);
		*ret_found += has_both;
	}
}

static void patterns_agree_with_a_parser(void **state)
{
	(void)state;
	static const char *const VALUES[] = {"tester", ".*", "t[^x]+", "|tester", "\\S*",
		"(?i)TES\\w*", "te.t{1,2}e\\D", "[^\\d]*", "x?(?:user=)?tester"};
	for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
		size_t found = 0;
		assert_agrees(VALUES[i], &found);
		assert_true(found > HEADERS / 100);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		random_state = strtoull(argv[1], NULL, 10);
	(void)printf("seed %" PRIu64 "\n", random_state);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_cookie_anywhere),
		cmocka_unit_test(names_are_quoted),
		cmocka_unit_test(alternatives_stay_within_the_value),
		cmocka_unit_test(flags_stay_within_the_value),
		cmocka_unit_test(several_cookies_in_any_order),
		cmocka_unit_test(values_end_at_a_semicolon),
		cmocka_unit_test(refused_values),
		cmocka_unit_test(patterns_agree_with_a_parser),
	};
	return cmocka_run_group_tests_name("traffic/cookie", tests, NULL, NULL);
}
