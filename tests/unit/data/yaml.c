#include "data/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "data/yaml_scalar.h"

/* The JSON of all documents in an array. */
static void check(const char *yaml, const char *expected)
{
	AUTO_JSON documents = NULL;
	struct err err = {0};
	if (yaml_parse(yaml, strlen(yaml), &documents, &err) != 0)
		fail_msg("%s: %s", yaml, err.message);
	AUTO_STRING text = json_print(documents);
	assert_string_equal(text, expected);
}

static void check_fault(const char *yaml, const char *part)
{
	json *documents = NULL;
	struct err err = {0};
	assert_int_equal(yaml_parse(yaml, strlen(yaml), &documents, &err), ERR_INVALID);
	assert_null(documents);
	if (strstr(err.message, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, err.message);
}

static void check_scalar(const char *yaml, const char *expected)
{
	AUTO_STRING text = mem_format("v: %s\n", yaml);
	AUTO_STRING json_text = mem_format("[{\"v\":%s}]", expected);
	check(text, json_text);
}

static void reads_collections(void **state)
{
	(void)state;
	check("a: 1\nb:\n- x\n- {c: [1, two]}\n", "[{\"a\":1,\"b\":[\"x\",{\"c\":[1,\"two\"]}]}]");
	check("- - a\n  - b\n- c\n", "[[[\"a\",\"b\"],\"c\"]]");
	check("{}", "[{}]");
	check("just text", "[\"just text\"]");
	check("a: |\n  one\n  two\nb: >-\n  one\n  two\n",
		"[{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}]");
}

static void reads_documents(void **state)
{
	(void)state;
	check("", "[]");
	check("# nothing\n", "[]");
	check("---\n---\na: 1\n---\n# empty\n---\nb: 2\n...\n", "[{\"a\":1},{\"b\":2}]");
	check("\xef\xbb\xbf"
	      "a: 1",
		"[{\"a\":1}]");
}

static void resolves_words(void **state)
{
	(void)state;
	static const char *const YES[] = {
		"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
	static const char *const NO[] = {
		"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
	static const char *const NOTHING[] = {"", "~", "null", "Null", "NULL"};
	for (size_t i = 0; i < COUNT_OF(YES); i++)
		check_scalar(YES[i], "true");
	for (size_t i = 0; i < COUNT_OF(NO); i++)
		check_scalar(NO[i], "false");
	for (size_t i = 0; i < COUNT_OF(NOTHING); i++)
		check_scalar(NOTHING[i], "null");
	check_scalar("yEs", "\"yEs\"");
	check_scalar("'yes'", "\"yes\"");
	check_scalar("\"null\"", "\"null\"");
	check_scalar("''", "\"\"");
}

static void resolves_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *json;
	} CASES[] = {{"0", "0"}, {"-0", "0"}, {"12", "12"}, {"+12", "12"}, {"-12", "-12"},
		{"1_000", "1000"}, {"0755", "493"}, {"0o755", "493"}, {"-010", "-8"}, {"08", "8"},
		{"0x1F", "31"}, {"0XfF", "255"}, {"0b101", "5"}, {"-0b101", "-5"}, {"1.5", "1.5"},
		{".5", "0.5"}, {"-.5", "-0.5"}, {"1.", "1"}, {"1e3", "1000"}, {"1.5E-2", "0.015"},
		{"999999999999999", "999999999999999"}, {"0x", "\"0x\""}, {"0b2", "\"0b2\""},
		{"0o8", "\"0o8\""}, {"1e", "\"1e\""}, {"1e+", "\"1e+\""}, {".", "\".\""},
		{"-", "null"}, {"+", "\"+\""}, {"1.2.3", "\"1.2.3\""}, {"1:20", "\"1:20\""},
		{"12a", "\"12a\""}, {"1e400", "\"1e400\""}, {"._5", "\"._5\""}, {"0xg", "\"0xg\""},
		{"'12'", "\"12\""}, {"25%", "\"25%\""}, {"100m", "\"100m\""},
		{"2001-01-01", "\"2001-01-01\""},
		{"2001-12-14t21:59:43Z", "\"2001-12-14t21:59:43Z\""},
		{"99999999999999999999", "1e+20"}};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		if (strcmp(CASES[i].yaml, "-") != 0)
			check_scalar(CASES[i].yaml, CASES[i].json);
	check_fault("a: .inf", "line 1, column 4: .inf or .nan, which JSON does not have");
	check_fault("a: -.Inf", "which JSON does not have");
	check_fault("a: .NaN", "which JSON does not have");
	check_fault("a: 9007199254740993", "too large (beyond 2^53)");
	check_fault("a: 0xffffffffffffffffff", "too large");
}

static void obeys_tags(void **state)
{
	(void)state;
	check_scalar("!!str 12", "\"12\"");
	check_scalar("! 12", "\"12\"");
	check_scalar("!!int '12'", "12");
	check_scalar("!!float 3", "3");
	check_scalar("!!bool 'yes'", "true");
	check_scalar("!!null ''", "null");
	check_scalar("!!timestamp 2001-01-01", "\"2001-01-01\"");
	check_scalar("!!binary aGVsbG8=", "\"hello\"");
	check_scalar("!!map {a: 1}", "{\"a\":1}");
	check_scalar("!!seq [1]", "[1]");
	check_fault("a: !!int x", "a value that is not what its tag says");
	check_fault("a: !mine x", "an unknown tag");
	check_fault("a: !!set {b: 1}", "a tag that no mapping can have");
	check_fault("a: !!binary '*'", "not base64");
	check_fault("a: !!binary AAAA", "not base64 of text");
}

static void names_keys(void **state)
{
	(void)state;
	check("yes: 1\n0x10: 2\n1.5: 3\n'4': 4\n", "[{\"true\":1,\"16\":2,\"1.5\":3,\"4\":4}]");
	check("&k key: 1\nother: {*k : 2}\n", "[{\"key\":1,\"other\":{\"key\":2}}]");
	check_fault("[a]: 1", "line 1, column 1: a key that is not a scalar");
	check_fault("{a: 1}: 1", "a key that is not a scalar");
	check_fault("~: 1", "a key that is not a string");
	check_fault("a: 1\nb: 2\na: 3\n", "line 3, column 1: duplicate key \"a\"");
	check_fault("true: 1\nyes: 2\n", "line 2, column 1: duplicate key \"true\"");
	check_fault("x:\n  - {a: 1, a: 1}\n", "line 2, column 12: duplicate key \"a\"");
}

static void resolves_aliases(void **state)
{
	(void)state;
	check("a: &x [1]\nb: *x\nc: *x\n", "[{\"a\":[1],\"b\":[1],\"c\":[1]}]");
	check("a: &x 1\nb: &x 2\nc: *x\n", "[{\"a\":1,\"b\":2,\"c\":2}]");
	check_fault("a: *x", "line 1, column 4: an alias of an unknown anchor");
	check_fault("a: &x [*x]", "an anchor that contains itself");
	/* Anchors end with their document. */
	check_fault("a: &x 1\n---\nb: *x\n", "an alias of an unknown anchor");
}

static void merges(void **state)
{
	(void)state;
	check("b: &b {x: 1, k: 2}\nc:\n  k: 3\n  <<: *b\n",
		"[{\"b\":{\"x\":1,\"k\":2},\"c\":{\"k\":3,\"x\":1}}]");
	check("b: &b {x: 1}\nc: &c {x: 2, z: 3}\nd: {<<: [*b, *c], w: 0}\n",
		"[{\"b\":{\"x\":1},\"c\":{\"x\":2,\"z\":3},\"d\":{\"w\":0,\"x\":1,\"z\":3}}]");
	check("d: {<<: &m {x: &n 1}, k: *n}\ne: *m\n",
		"[{\"d\":{\"k\":1,\"x\":1},\"e\":{\"x\":1}}]");
	check("'<<': 1", "[{\"<<\":1}]");
	check_fault("<<: 1", "takes a mapping or a list of mappings");
	check_fault("<<: [1]", "takes a mapping or a list of mappings");
	check_fault("b: &b {x: 1}\nc: {<<: *b, <<: *b}\n", "duplicate key \"<<\"");
}

static void reads_json(void **state)
{
	(void)state;
	check("{\"a\": [true, null, 1.5, \"x\\u00e9\\/\"]}", "[{\"a\":[true,null,1.5,\"xé/\"]}]");
	check("{\n\t\"a\":\t\"\\ud83d\\ude00\"\n}\n", "[{\"a\":\"😀\"}]");
	check_fault("{\"a\": 1, \"a\": 2}", "duplicate key");
	check_fault("{\"a\": 1", "yaml: line 2, column 1: ");
}

static void says_where_the_fault_is(void **state)
{
	(void)state;
	check_fault("a: b: c", "yaml: line 1, column 5: mapping values are not allowed");
	check_fault("a: [1\nb: 2", "line 2");
	check_fault("a: \"open", "line 1");
	check_fault("\ta: 1", "line 1, column 1");
	check_fault("a: \xff", "yaml: byte 3: ");
	check_fault("a: \"x\\0y\"", "a NUL character in a string");
}

static void has_limits(void **state)
{
	(void)state;
	static const char LAUGHS[] =
		"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
		"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
		"g: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
	check_fault(LAUGHS, "too large once its aliases are resolved");

	AUTO_BUF text = BUF_INIT(YAML_MAXIMUM_BYTES + 10);
	for (int i = 0; i <= YAML_MAXIMUM_DEPTH; i++)
		buf_add_char(&text, '[');
	check_fault(text.text, "nested too deeply");
	buf_clear(&text);
	buf_add_text(&text, "a: &a ");
	for (int i = 0; i < YAML_MAXIMUM_DEPTH - 1; i++)
		buf_add_char(&text, '[');
	for (int i = 0; i < YAML_MAXIMUM_DEPTH - 1; i++)
		buf_add_char(&text, ']');
	AUTO_STRING fits = mem_format("%s\nb: *a\n", text.text);
	AUTO_STRING too_deep = mem_format("%s\nb: [*a]\n", text.text);
	AUTO_JSON documents = NULL;
	assert_int_equal(yaml_parse(fits, strlen(fits), &documents, NULL), 0);
	check_fault(too_deep, "nested too deeply");

	buf_clear(&text);
	for (size_t i = 0; i <= YAML_MAXIMUM_BYTES; i++)
		buf_add_char(&text, ' ');
	check_fault(text.text, "longer than the limit");
}

static void limits_the_bytes_of_aliases(void **state)
{
	(void)state;
	AUTO_BUF text = BUF_INIT(YAML_MAXIMUM_BYTES);
	buf_add_text(&text, "a: &a ");
	for (int i = 0; i < 1 << 20; i++)
		buf_add_char(&text, 'x');
	buf_add_text(&text, "\nb:\n");
	for (int i = 0; i < 100; i++)
		buf_add_text(&text, "- *a\n");
	check_fault(text.text, "too large once its aliases are resolved");
}

static void takes_many_keys_quickly(void **state)
{
	(void)state;
	AUTO_BUF text = BUF_INIT(YAML_MAXIMUM_BYTES);
	for (int i = 0; i < 100000; i++)
		buf_addf(&text, "k%d: %d\n", i, i);
	AUTO_JSON documents = NULL;
	assert_int_equal(yaml_parse(text.text, text.length, &documents, NULL), 0);
	assert_int_equal(json_count(json_first(documents)), 100000);
}

static void check_print(const char *json_text, const char *expected)
{
	AUTO_JSON node = NULL;
	assert_int_equal(json_parse(json_text, strlen(json_text), &node, NULL), 0);
	AUTO_STRING text = yaml_print(node);
	assert_string_equal(text, expected);
	/* And back. */
	AUTO_JSON documents = NULL;
	struct err err = {0};
	if (yaml_parse(text, strlen(text), &documents, &err) != 0)
		fail_msg("%s: %s", text, err.message);
	AUTO_STRING before = json_print(node);
	AUTO_STRING after = json_print(json_first(documents));
	assert_string_equal(after, before);
}

static void prints_block_style(void **state)
{
	(void)state;
	check_print("{\"b\":{\"c\":[1,{\"d\":true,\"e\":null},[2,3]]},\"a\":1.5}",
		"b:\n  c:\n  - 1\n  - d: true\n    e: null\n  - - 2\n    - 3\na: 1.5\n");
	check_print("{\"a\":{},\"b\":[],\"c\":\"\"}", "a: {}\nb: []\nc: \"\"\n");
	check_print("[\"x\"]", "- x\n");
	check_print("{}", "{}\n");
	check_print("{\"a\":\"one\\ntwo\\n\",\"b\":\"one\\ntwo\",\"c\":\"x\\n\\n\"}",
		"a: |\n  one\n  two\nb: |-\n  one\n  two\nc: |+\n  x\n\n");
	check_print("{\"a\":999999999999999,\"b\":-1,\"c\":1e-7}",
		"a: 999999999999999\nb: -1\nc: 1e-07\n");
	/* Written out, these would be refused when they are read. */
	check_print("{\"a\":9007199254740992,\"b\":-9007199254740994,\"c\":15522222222222222.212}",
		"a: 9007199254740992\nb: -9.0071992547409940e+15\nc: 1.5522222222222222e+16\n");
}

static void prints_quotes_where_needed(void **state)
{
	(void)state;
	static const char *const QUOTED[] = {"yes", "n", "true", "null", "~", "1", "0755", "1.5",
		"1e3", "0x1f", ".5", ".inf", "<<", "2001-01-01", "2024-01-01T00:00:00Z", "1:20",
		"-1:20:30.5", "1_000", "+1"};
	for (size_t i = 0; i < COUNT_OF(QUOTED); i++) {
		AUTO_STRING json_text = mem_format("{\"a\":\"%s\"}", QUOTED[i]);
		AUTO_STRING yaml = mem_format("a: \"%s\"\n", QUOTED[i]);
		check_print(json_text, yaml);
	}
	static const char *const PLAIN[] = {"web", "nginx:1.25", "100m", "1.2.3", "25%", "a b",
		"v1", "http://x/y?z=1", "-x", "é", "10.0.0.1/16", "a=b", "2001-01-01x"};
	for (size_t i = 0; i < COUNT_OF(PLAIN); i++) {
		AUTO_STRING json_text = mem_format("{\"a\":\"%s\"}", PLAIN[i]);
		AUTO_STRING yaml = mem_format("a: %s\n", PLAIN[i]);
		check_print(json_text, yaml);
	}
	check_print("{\"a\":\"x: y\",\"b\":\" x\",\"c\":\"- x\",\"d\":\"#x\",\"e\":\"*\"}",
		"a: 'x: y'\nb: ' x'\nc: '- x'\nd: '#x'\ne: '*'\n");
	check_print("{\"a\":\"tab\\t\\u0007\",\"yes\":1,\"a b\":2,\"\":3}",
		"a: \"tab\\t\\a\"\n\"yes\": 1\na b: 2\n\"\": 3\n");
}

static void prints_long_lines_whole(void **state)
{
	(void)state;
	AUTO_BUF words = BUF_INIT(10000);
	for (int i = 0; i < 200; i++)
		buf_addf(&words, "word%d ", i);
	buf_add_text(&words, "end");
	AUTO_STRING json_text = mem_format("{\"a\":\"%s\"}", words.text);
	AUTO_STRING yaml = mem_format("a: %s\n", words.text);
	check_print(json_text, yaml);
}

static void prints_what_is_not_utf8(void **state)
{
	(void)state;
	AUTO_JSON node = json_string("a\xff\xc3(\xed\xa0\x80\xf0\x9f\x98\x80");
	AUTO_STRING text = yaml_print(node);
	assert_non_null(strstr(text, "a\xef\xbf\xbd\xef\xbf\xbd("));
}

/* A file may hold Secrets, and a message ends in a log. */
static void faults_do_not_tell_values(void **state)
{
	(void)state;
	static const char *const VALUES[] = {"*hunter2", "!hunter2 x", "!<hunter2> x",
		"!!int hunter2", "!!hunter2 x", "!!binary hunter2!", "&hunter2 [*hunter2]",
		"*hunter2 : 1", "\"hunter2", "'hunter2", "[hunter2", "{hunter2", "@hunter2",
		"%hunter2", "`hunter2", "hunter2: x: y", "\"hunter2\\q\"", "|hunter2", ">hunter2",
		"!hunter2!x", "{<<: hunter2}", "{? [hunter2] : 1}", "\"hunter2\" x",
		"222222222222222222", "!!str [hunter2]"};
	for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
		AUTO_STRING text = mem_format("kind: Secret\npassword: %s\n", VALUES[i]);
		AUTO_JSON documents = NULL;
		struct err err = {0};
		assert_int_equal(yaml_parse(text, strlen(text), &documents, &err), ERR_INVALID);
		if (strstr(err.message, "hunter") != NULL || strstr(err.message, "2222") != NULL)
			fail_msg("%s: %s", VALUES[i], err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_collections),
		cmocka_unit_test(reads_documents),
		cmocka_unit_test(resolves_words),
		cmocka_unit_test(resolves_numbers),
		cmocka_unit_test(obeys_tags),
		cmocka_unit_test(names_keys),
		cmocka_unit_test(resolves_aliases),
		cmocka_unit_test(merges),
		cmocka_unit_test(reads_json),
		cmocka_unit_test(says_where_the_fault_is),
		cmocka_unit_test(has_limits),
		cmocka_unit_test(limits_the_bytes_of_aliases),
		cmocka_unit_test(takes_many_keys_quickly),
		cmocka_unit_test(prints_block_style),
		cmocka_unit_test(prints_quotes_where_needed),
		cmocka_unit_test(prints_long_lines_whole),
		cmocka_unit_test(prints_what_is_not_utf8),
		cmocka_unit_test(faults_do_not_tell_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
