#include "traffic/rule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "data/regex.h"
#include "traffic/cookie.h"

/* Istio does not look at conditions for headers of these names, which have fields of their own. */
static const char *const FIELDS_OF_THEIR_OWN[] = {"uri", "scheme", "method", "authority"};

/* What a condition compares with, and how Istio calls it. */
enum comparison { EXACT, PREFIX, REGEX, COMPARISON_COUNT };
static const char *const OPERATORS[COMPARISON_COUNT] = {"=", "^=", "~"};
static const char *const STRING_MATCHES[COMPARISON_COUNT] = {"exact", "prefix", "regex"};

struct condition {
	bool cookie;
	char *name;
	enum comparison comparison;
	char *value;
};

static void condition_release(struct condition *condition)
{
	free(condition->name);
	free(condition->value);
}

/* A rule as it is put together. */
struct rule {
	json *headers;
	struct str_list cookie_names;
	struct str_list cookie_pairs;
};

static void rule_release(struct rule *rule)
{
	json_free(rule->headers);
	str_list_release(&rule->cookie_names);
	str_list_release(&rule->cookie_pairs);
}

/* --- reading -------------------------------------------------------------------------------- */

/* Splits at commas that no backslash escapes; one that does goes. Two backslashes are an escaped
 * one in a regular expression: they stay, and the comma behind them ends the condition. */
static void split_conditions(const char *text, struct str_list *ret)
{
	AUTO_STRING part = mem_alloc(strlen(text) + 1, 1);
	size_t length = 0;
	bool escaped = false;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == ',' && !escaped) {
			str_list_add_length(ret, part, length);
			length = 0;
			continue;
		}
		if (*c == ',')
			length--;
		part[length++] = *c;
		escaped = *c == '\\' && !escaped;
	}
	str_list_add_length(ret, part, length);
}

/* Where the name ends: at the first operator. */
static const char *find_operator(const char *text, enum comparison *ret)
{
	const char *place = text + strcspn(text, "=~");
	if (*place == '\0')
		return NULL;
	*ret = *place == '~' ? REGEX : EXACT;
	if (*ret == EXACT && place > text && place[-1] == '^') {
		*ret = PREFIX;
		place--;
	}
	return place;
}

static int parse_condition(const char *text, struct condition *ret, struct err *err)
{
	static const char *const KINDS[] = {"header:", "cookie:"};
	size_t kind = 0;
	while (kind < COUNT_OF(KINDS) && !str_starts(text, KINDS[kind]))
		kind++;
	if (kind == COUNT_OF(KINDS))
		return err_set(err, ERR_USAGE,
			"\"%s\" begins with neither cookie: nor header: (a comma within a value "
			"is written \\,)",
			text);
	const char *name = text + strlen(KINDS[kind]);
	enum comparison comparison;
	const char *sign = find_operator(name, &comparison);
	if (sign == NULL)
		return err_set(err, ERR_USAGE,
			"\"%s\" has no value; write %sNAME=VALUE, or ^= for its beginning, or ~ "
			"for a regular expression",
			text, KINDS[kind]);
	const char *value = sign + strlen(OPERATORS[comparison]);
	if (*value == '\0' || sign == name)
		return err_set(err, ERR_USAGE, "\"%s\": the %s is empty", text,
			sign == name ? "name" : "value");
	*ret = (struct condition){
		.cookie = kind == 1,
		.name = mem_strndup(name, (size_t)(sign - name)),
		.comparison = comparison,
		.value = mem_strdup(value),
	};
	return 0;
}

/* --- what is refused ------------------------------------------------------------------------ */

/* RFC 9110, 5.6.2: what names of headers and cookies are made of. */
static bool is_token(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL)
			return false;
	return true;
}

static bool has_control(const char *value)
{
	for (const char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return true;
	return false;
}

/* RFC 9110, 5.5: blanks around a value are no part of it. */
static int check_blanks(const struct condition *condition, struct err *err)
{
	const char *value = condition->value;
	bool at_end = condition->comparison == EXACT && str_ends(value, " ");
	if (condition->comparison == REGEX || (value[0] != ' ' && !at_end))
		return 0;
	return err_set(err, ERR_USAGE,
		"\"%s\": no value of a header begins or ends with a space; leave it out", value);
}

static int check_header(const struct condition *condition, struct err *err)
{
	const char *name = condition->name;
	if (name[0] == ':' ||
		str_index(FIELDS_OF_THEIR_OWN, COUNT_OF(FIELDS_OF_THEIR_OWN), name) >= 0)
		return err_set(err, ERR_USAGE,
			"\"%s\" is not a header to Istio, which would ignore the condition", name);
	if (str_equal(name, "cookie"))
		return err_set(err, ERR_USAGE, "for the header cookie write cookie:NAME=VALUE");
	return check_blanks(condition, err);
}

/* RFC 6265, 4.1.1, without the quotes, which some servers take away and others keep. */
static int check_cookie(const struct condition *condition, struct err *err)
{
	if (condition->comparison == REGEX)
		return 0;
	const char *bad = strpbrk(condition->value, " \t;,\"\\");
	if (bad != NULL)
		return err_set(err, ERR_USAGE, "\"%s\": the value of a cookie has no '%c'",
			condition->value, *bad);
	return 0;
}

static void make_lower_case(char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
}

static int check_condition(struct condition *condition, struct err *err)
{
	if (!condition->cookie)
		make_lower_case(condition->name); /* as HTTP/2 has them, and Istio wants */
	int code = condition->cookie ? check_cookie(condition, err) : check_header(condition, err);
	if (code != 0)
		return code;
	if (!is_token(condition->name))
		return err_set(err, ERR_USAGE, "\"%s\" is not the name of a %s", condition->name,
			condition->cookie ? "cookie" : "header");
	if (strlen(condition->name) > HEADER_NAME_MAXIMUM)
		return err_set(err, ERR_USAGE, "the name of a %s has more than %d characters",
			condition->cookie ? "cookie" : "header", HEADER_NAME_MAXIMUM);
	if (has_control(condition->value))
		return err_set(err, ERR_USAGE,
			"the value for \"%s\" has a control character, which no %s has",
			condition->name, condition->cookie ? "cookie" : "header");
	return 0;
}

/* --- putting together ----------------------------------------------------------------------- */

static int cookie_value(const struct condition *condition, char **ret, struct err *err)
{
	if (condition->comparison == REGEX)
		return cookie_value_pattern(condition->value, ret, err);
	AUTO_STRING quoted = regex_quote(condition->value);
	*ret = mem_format("%s%s", quoted, condition->comparison == PREFIX ? "[^;]*" : "");
	return 0;
}

static int add_cookie(struct rule *rule, const struct condition *condition, struct err *err)
{
	if (str_list_has(&rule->cookie_names, condition->name))
		return err_set(err, ERR_USAGE, "the cookie \"%s\" is there twice", condition->name);
	if (rule->cookie_pairs.count == COOKIES_MAXIMUM)
		return err_set(err, ERR_USAGE, "more than %d cookies", COOKIES_MAXIMUM);
	AUTO_STRING value = NULL;
	int code = cookie_value(condition, &value, err);
	if (code != 0)
		return code;
	AUTO_STRING pair = cookie_pair(condition->name, value);
	str_list_add(&rule->cookie_names, condition->name);
	str_list_add(&rule->cookie_pairs, pair);
	return 0;
}

static int add_header(struct rule *rule, const struct condition *condition, struct err *err)
{
	if (json_get(rule->headers, condition->name) != NULL)
		return err_set(err, ERR_USAGE, "the header \"%s\" is there twice", condition->name);
	if (condition->comparison == REGEX) {
		AUTO_REGEX regex = NULL;
		int code = regex_compile(condition->value, &regex, err);
		if (code != 0)
			return code;
	}
	json *match = json_ensure_object(rule->headers, condition->name);
	json_set_text(match, STRING_MATCHES[condition->comparison], condition->value);
	return 0;
}

static int add_condition(struct rule *rule, const char *text, struct err *err)
{
	CLEANUP(condition_release) struct condition condition = {0};
	int code = parse_condition(text, &condition, err);
	if (code != 0 || condition.name == NULL || condition.value == NULL)
		return code;
	code = check_condition(&condition, err);
	if (code != 0)
		return code;
	return condition.cookie ? add_cookie(rule, &condition, err)
				: add_header(rule, &condition, err);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* istiod takes no longer expressions. */
#define REGEX_MAXIMUM_BYTES 1024

static int finish_cookies(struct rule *rule, struct err *err)
{
	if (rule->cookie_pairs.count == 0)
		return 0;
	/* So that rules that say the same are the same. */
	qsort(rule->cookie_pairs.items, rule->cookie_pairs.count, sizeof(char *), compare_texts);
	AUTO_STRING regex = cookies_pattern(rule->cookie_pairs.items, rule->cookie_pairs.count);
	if (strlen(regex) > REGEX_MAXIMUM_BYTES)
		return err_set(err, ERR_USAGE,
			"the regular expression for its cookies has %zu characters, and Istio "
			"takes %d",
			strlen(regex), REGEX_MAXIMUM_BYTES);
	AUTO_REGEX compiled = NULL;
	int code = regex_compile(regex, &compiled, err);
	if (code == 0)
		json_set_text(json_ensure_object(rule->headers, "cookie"), "regex", regex);
	return code;
}

static int parse_rule(const char *text, json **ret, struct err *err)
{
	CLEANUP(rule_release) struct rule rule = {.headers = json_object()};
	CLEANUP(str_list_release) struct str_list conditions = {0};
	if (text[0] == '\0')
		return err_set(err, ERR_USAGE, "a rule is empty");
	if (strlen(text) > RULE_MAXIMUM_BYTES)
		return err_set(err, ERR_USAGE, "a rule has more than %d bytes", RULE_MAXIMUM_BYTES);
	if (!utf8_valid(text))
		return err_set(err, ERR_USAGE, "\"%s\": a rule must be UTF-8", text);
	split_conditions(text, &conditions);
	if (conditions.count > CONDITIONS_MAXIMUM)
		return err_set(err, ERR_USAGE, "\"%s\": more than %d conditions", text,
			CONDITIONS_MAXIMUM);
	int code = 0;
	for (size_t i = 0; i < conditions.count && code == 0; i++)
		code = add_condition(&rule, conditions.items[i], err);
	if (code == 0)
		code = finish_cookies(&rule, err);
	if (code != 0)
		return err_wrap(err, "\"%s\"", text);
	*ret = TAKE(rule.headers);
	return 0;
}

static bool has_equal(const json *rules, const json *rule)
{
	json_for_each (other, rules)
		if (json_equal(other, rule))
			return true;
	return false;
}

int rules_parse(const struct str_list *texts, json **ret, struct err *err)
{
	AUTO_JSON rules = json_array();
	if (texts->count > RULES_MAXIMUM)
		return err_set(err, ERR_USAGE, "more than %d rules", RULES_MAXIMUM);
	for (size_t i = 0; i < texts->count; i++) {
		json *rule = NULL;
		int code = parse_rule(texts->items[i], &rule, err);
		if (code != 0)
			return code;
		bool repeated = has_equal(rules, rule);
		json_append(rules, rule);
		if (repeated)
			return err_set(err, ERR_USAGE, "\"%s\": this rule is there twice",
				texts->items[i]);
	}
	*ret = TAKE(rules);
	return 0;
}
