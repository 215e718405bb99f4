#include "data/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"

static struct regex *compile(const char *pattern)
{
	struct regex *regex = NULL;
	struct err err = {0};
	if (regex_compile(pattern, &regex, &err) != 0)
		fail_msg("%s", err.message);
	return regex;
}

static void assert_matches(const char *pattern, const char *text, int expected)
{
	AUTO_REGEX regex = compile(pattern);
	int found = regex_matches(regex, text);
	if (found != expected)
		fail_msg("%s and \"%s\" give %d", pattern, text, found);
}

struct match_case {
	const char *pattern;
	const char *text;
	int expected;
};

static void assert_cases(const struct match_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_matches(cases[i].pattern, cases[i].text, cases[i].expected);
}

/* --- matches -------------------------------------------------------------------------------- */

static void whole_texts(void **state)
{
	(void)state;
	static const struct match_case CASES[] = {
		{"", "", 1},
		{"", "a", 0},
		{"a", "a", 1},
		{"a", "ab", 0},
		{"a", "ba", 0},
		{"a|ab", "ab", 1},
		{"a|b", "ab", 0},
		{"a$|b", "a", 1},
		{"a$", "a\n", 0},
		{"^a$", "a", 1},
		{"a^b", "ab", 0},
		{"x|", "", 1},
		{"x?y|", "xz", 0},
		{"a*?", "aaa", 1},
		{"(?U)a*", "aaa", 1},
		{"a{2}", "aa", 1},
		{"a{2,}", "aaaa", 1},
		{"a{2,}", "a", 0},
		{"a{0}", "", 1},
		{"(a|bc){2,3}", "abca", 1},
		{"(?:a*)*b", "aaab", 1},
		{"(|a)*", "aaa", 1},
		{"(|a)+b", "b", 1},
		{"^*a", "a", 1},
		{"(\\b)+a", "a", 1},
	};
	assert_cases(CASES, COUNT_OF(CASES));
}

static void characters(void **state)
{
	(void)state;
	static const struct match_case CASES[] = {
		{"a.c", "aéc", 1},
		{"a.c", "a\nc", 0},
		{"a.c", "a\rc", 1},
		{"(?s)a.c", "a\nc", 1},
		{"[^a]", "\n", 1},
		{"(?s:.).", "\n\n", 0},
		{"\\x41\\x{1F600}", "A😀", 1},
		{"\\101\\0121", "A\n1", 1},
		{"\\a\\f\\n\\r\\t\\v", "\a\f\n\r\t\v", 1},
		{"\\_\\;\\ \\\"", "_; \"", 1},
		{"\\Qa.*\\E+", "a.***", 1},
		{"\\Qa.*\\E+", "abb", 0},
		{"\\Qa|b", "a|b", 1},
		{"\\Qa\\b\\E", "a\\b", 1},
		{"a]}", "a]}", 1},
		{"a{,2}", "a{,2}", 1},
		{"a{1, 2}", "a{1, 2}", 1},
		{"a{01}", "a{01}", 1},
		{"a{2", "a{2", 1},
	};
	assert_cases(CASES, COUNT_OF(CASES));
}

static void classes(void **state)
{
	(void)state;
	static const struct match_case CASES[] = {
		{"\\s", "\v", 0},
		{"\\s", "\f", 1},
		{"[[:space:]]", "\v", 1},
		{"\\S", "\v", 1},
		{"\\d", "٣", 0},
		{"\\w", "é", 0},
		{"\\W", "é", 1},
		{"[^\\d]", "a", 1},
		{"[^\\D]", "5", 1},
		{"[\\D5]", "5", 1},
		{"[]a]+", "a]", 1},
		{"[^]a]", "]", 0},
		{"[a-]+", "-a", 1},
		{"[\\]-a]", "^", 1},
		{"[\\d-z]+", "5-z", 1},
		{"[\\d-z]", "e", 0},
		{"[[:alpha:]_]+", "aZ_", 1},
		{"[[:^alpha:]]", "a", 0},
		{"[^[:^alpha:]]", "a", 1},
		{"[[=a=]]", "=]", 1},
		{"[[:a]", ":", 1},
		{"[a\\]]", "]", 1},
		{"[\\x{e9}-\\x{f0}]", "ï", 1},
		{"[^\\x{0}-\\x{10FFFF}]", "a", 0},
		{"\\pN", "٣", 1},
		{"\\PN", "a", 1},
		{"\\p{Greek}+", "αβ", 1},
		{"\\p{^Greek}", "a", 1},
		{"[\\P{Lu}A]", "A", 1},
		{"[\\P{Lu}A]", "B", 0},
	};
	assert_cases(CASES, COUNT_OF(CASES));
}

static void flags(void **state)
{
	(void)state;
	static const struct match_case CASES[] = {
		{"(?i)straße", "STRAßE", 1},
		{"(?i)é", "É", 1},
		{"(?i)k", "\xe2\x84\xaa", 1},
		{"(?i)[a-z]", "ſ", 1},
		{"(?i)\\w", "ſ", 1},
		{"(?i)\\W", "ſ", 0},
		{"(?i)\\W", "é", 1},
		{"(?i)[^\\W]", "ſ", 1},
		{"(?i)[[:^lower:]]", "A", 0},
		{"(?i)[[:upper:]]", "a", 1},
		{"\\W", "ſ", 1},
		{"a(?i)b|c", "C", 1},
		{"(a(?i)b)c", "aBC", 0},
		{"(?i:a)b", "Ab", 1},
		{"(?i:a)b", "AB", 0},
		{"(?i)a(?-i)b", "Ab", 1},
		{"(?i)a(?-i)b", "AB", 0},
		{"(?i-s:a.)", "A\n", 0},
		{"(?m)a$\\n^b", "a\nb", 1},
		{"a$\\n^b", "a\nb", 0},
		{"(?m)^a\\n^", "a\n", 1},
		{"(?m:$)\\n", "\n", 1},
		{"(?m)\\A\\n\\z", "\n", 1},
		{"(?)a", "a", 1},
		{"(?P<name>a)(?<n2>b)", "ab", 1},
		{"\\Bé", "é", 1},
		{"a\\b-\\Bb", "a-b", 0},
		{"a\\b-\\bb", "a-b", 1},
	};
	assert_cases(CASES, COUNT_OF(CASES));
}

static void broken_text_matches_nothing(void **state)
{
	(void)state;
	static const char *const BROKEN[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf"};
	AUTO_REGEX regex = compile("(?s).*");
	for (size_t i = 0; i < COUNT_OF(BROKEN); i++)
		assert_int_equal(regex_matches(regex, BROKEN[i]), 0);
	assert_int_equal(regex_matches(regex, ""), 1);
}

/* Backtracking, these would take longer than the universe will last. */
static void no_pattern_takes_for_ever(void **state)
{
	(void)state;
	static const char *const PATTERNS[] = {"(a*)*b", "(a|a)*b", "(?:a+)+b", "(a?){30}b",
		"(?:[^x]+y?){11}z", "(.*)*(.*)*(.*)*b", "(?:.{2,}){20}z"};
	char text[1001];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < COUNT_OF(PATTERNS); i++)
		assert_matches(PATTERNS[i], text, 0);
	assert_matches("(?:[a-z]{0,900}[a-z]{0,900}){1}[a-z]{0,900}[a-z]{0,900}[a-z]{0,900}"
		       "[a-z]{0,900}[a-z]{0,900}",
		text, ERR_FAILED);
}

/* --- refusals ------------------------------------------------------------------------------- */

static void assert_refused(const char *pattern, const char *reason)
{
	struct regex *regex = NULL;
	struct err err = {0};
	if (regex_compile(pattern, &regex, &err) != ERR_USAGE)
		fail_msg("%s is taken", pattern);
	assert_null(regex);
	assert_int_equal(err.code, ERR_USAGE);
	AUTO_STRING message = mem_format("\"%s\": %s", pattern, reason);
	assert_string_equal(err.message, message);
}

static void what_is_not_re2(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *reason;
	} cases[] = {
		{"(?=x)", "look-ahead at character 1 is not RE2: (?="},
		{"é(?!x)", "negative look-ahead at character 2 is not RE2: (?!"},
		{"(?<=x)a", "look-behind at character 1 is not RE2: (?<="},
		{"(?<!x)a", "negative look-behind at character 1 is not RE2: (?<!"},
		{"a(?>b)", "an atomic group at character 2 is not RE2: (?>"},
		{"(a)?(?(1)b|c)", "a conditional at character 5 is not RE2: (?("},
		{"(?|a|b)", "a branch reset at character 1 is not RE2: (?|"},
		{"a(?#b)", "a comment at character 2 is not RE2: (?#"},
		{"(?P<n>a)(?P=n)", "a back-reference at character 9 is not RE2: (?P="},
		{"(?R)", "recursion at character 1 is not RE2: (?R"},
		{"(?'n'a)", "a name in quotes at character 1 is not RE2: (?'"},
		{"(?1)", "a group at character 1 is not RE2: (?1"},
		{"(?x)a", "a group at character 1 is not RE2: (?x"},
		{"(?é)a", "a group at character 1 is not RE2: (?é"},
		{"(?i", "a group at character 1 is not RE2: (?i"},
		{"(a)\\1", "a back-reference at character 4 is not RE2: \\1"},
		{"\\k<n>", "a back-reference at character 1 is not RE2: \\k"},
		{"a\\Z", "an escape at character 2 is not RE2: \\Z"},
		{"\\G", "an escape at character 1 is not RE2: \\G"},
		{"\\C", "an escape at character 1 is not RE2: \\C"},
		{"\\é", "an escape at character 1 is not RE2: \\é"},
		{"[\\b]", "an escape at character 2 is not RE2: \\b"},
		{"[a-\\d]", "an escape at character 4 is not RE2: \\d"},
		{"a++", "a possessive repetition at character 2 is not RE2: ++"},
		{"a*+", "a possessive repetition at character 2 is not RE2: *+"},
		{"a?+", "a possessive repetition at character 2 is not RE2: ?+"},
		{"a{1}+", "a possessive repetition at character 2 is not RE2: {1}+"},
		{"a**", "a repetition of a repetition at character 2 is not RE2: **"},
		{"a*{2}", "a repetition of a repetition at character 2 is not RE2: *{2}"},
		{"a+??", "a repetition of a repetition at character 2 is not RE2: +??"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_refused(cases[i].pattern, cases[i].reason);
}

static void what_is_wrong_everywhere(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *reason;
	} cases[] = {
		{"a(b", "a group at character 2 is not closed: ("},
		{"a)b", "a parenthesis at character 2 closes nothing: )"},
		{"x[a", "a class at character 2 is not closed: [a"},
		{"[]", "a class at character 1 is not closed: []"},
		{"[^]", "a class at character 1 is not closed: [^]"},
		{"[z-a]", "a range at character 2 has its ends the wrong way round: z-a"},
		{"[[:letter:]]", "a class name at character 2 is none of POSIX: [:letter:]"},
		{"a\\", "a backslash at character 2 is the last: \\"},
		{"\\x4",
			"an escape at character 1 needs two hexadecimal digits, or some in braces: "
			"\\x"},
		{"\\x{}", "an escape at character 1 needs two hexadecimal digits, or some in "
			  "braces: \\x"},
		{"\\x{110000}", "an escape at character 1 is no character of Unicode: \\x{110000}"},
		{"\\x{fffffffff41}",
			"an escape at character 1 is no character of Unicode: \\x{fffffffff41}"},
		{"\\x{d800}", "an escape at character 1 is no character of Unicode: \\x{d800}"},
		{"\\pX", "a property at character 1 is none that all proxies know: \\pX"},
		{"\\p{Greek", "a property at character 1 is none that all proxies know: \\p{Greek"},
		{"\\p", "a property at character 1 is none that all proxies know: \\p"},
		{"(?i)\\pL", "a property at character 5 is not supported under (?i): \\pL"},
		{"*a", "a repetition at character 1 has nothing to repeat: *"},
		{"a|{2}", "a repetition at character 3 has nothing to repeat: {2}"},
		{"(+a)", "a repetition at character 2 has nothing to repeat: +"},
		{"a(?i)*", "a repetition at character 6 has nothing to repeat: *"},
		{"a{1001}", "a count at character 2 is more than 1000: {1001}"},
		{"a{99999999999}", "a count at character 2 is more than 1000: {99999999999}"},
		{"a{3,2}", "a count at character 2 has its ends the wrong way round: {3,2}"},
		{"(a{11}){100}",
			"a count at character 8 multiplies with those within to more than 1000: "
			"{100}"},
		{"(?P<>a)", "a group at character 1 needs a name of letters, digits and _, and a > "
			    "behind it: (?P<"},
		{"(?<a b>c)", "a group at character 1 needs a name of letters, digits and _, and a "
			      "> behind it: (?<a"},
		{"(?i-)", "a flag at character 1 is missing: (?i-)"},
		{"[^;]{900}.{900}[^;]{900}.{900}.{900}",
			"this is too large for proxies when its repetitions are unfolded"},
		{"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			"a class at character 1 is not closed: "
			"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."},
		{"a\xff", "no UTF-8 at character 2: "},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_refused(cases[i].pattern, cases[i].reason);
}

static void repeated(struct buf *buf, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_text(buf, text);
}

static void limits(void **state)
{
	(void)state;
	AUTO_BUF longest = BUF_INIT(2000);
	AUTO_BUF deepest = BUF_INIT(2000);
	struct regex *regex = NULL;
	struct err err = {0};
	repeated(&longest, "a", 1024);
	assert_matches(buf_text(&longest), buf_text(&longest), 1);
	buf_add_char(&longest, 'a');
	assert_int_equal(regex_compile(buf_text(&longest), &regex, &err), ERR_USAGE);
	assert_string_equal(
		err.message, "a regular expression of 1025 bytes: Istio takes at most 1024");

	repeated(&deepest, "(", 200);
	repeated(&deepest, ")", 200);
	assert_matches(buf_text(&deepest), "", 1);
	buf_clear(&deepest);
	repeated(&deepest, "(", 201);
	assert_int_equal(regex_compile(buf_text(&deepest), &regex, &err), ERR_USAGE);
	assert_non_null(strstr(err.message, "a group at character 201 is nested too deeply: "));
	assert_null(regex);
}

/* --- quoting -------------------------------------------------------------------------------- */

static void quoted_text_matches_itself(void **state)
{
	(void)state;
	char text[] = "xyx";
	for (int c = 1; c < 0x80; c++) {
		text[1] = (char)c;
		AUTO_STRING quoted = regex_quote(text);
		assert_matches(quoted, text, 1);
		assert_matches(quoted, "xyzx", 0);
		assert_matches(quoted, "xx", 0);
	}
	AUTO_STRING quoted = regex_quote("\\Qa.b*é\\E[");
	assert_string_equal(quoted, "\\\\Qa\\.b\\*é\\\\E\\[");
	assert_matches(quoted, "\\Qa.b*é\\E[", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts),
		cmocka_unit_test(characters),
		cmocka_unit_test(classes),
		cmocka_unit_test(flags),
		cmocka_unit_test(broken_text_matches_nothing),
		cmocka_unit_test(no_pattern_takes_for_ever),
		cmocka_unit_test(what_is_not_re2),
		cmocka_unit_test(what_is_wrong_everywhere),
		cmocka_unit_test(limits),
		cmocka_unit_test(quoted_text_matches_itself),
	};
	return cmocka_run_group_tests_name("data/regex", tests, NULL, NULL);
}
