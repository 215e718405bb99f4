#include "traffic/cookie.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"
#include "data/re2.h"
#include "data/regex.h"

/* What may stand before the first cookie in question, between two, and behind the last. */
#define BEFORE "(?:.*;[ \\t]*)?"
#define BETWEEN ";(?:.*;)?[ \\t]*"
#define AFTER "(?:;.*)?"

#define PATTERN_MAXIMUM 16384

char *cookie_pair(const char *name, const char *value_pattern)
{
	AUTO_STRING quoted = regex_quote(name);
	return mem_format("%s=%s", quoted, value_pattern);
}

/* One order after the other: all that begin with what `order` has so far. */
static void add_orders(
	struct buf *buf, char *const *pairs, size_t count, size_t *order, size_t chosen)
{
	if (chosen == count) {
		buf_add_text(buf, buf->length > 0 ? "|" : "");
		for (size_t i = 0; i < count; i++)
			buf_addf(buf, "%s%s", i > 0 ? BETWEEN : "", pairs[order[i]]);
		return;
	}
	for (size_t candidate = 0; candidate < count; candidate++) {
		bool used = false;
		for (size_t i = 0; i < chosen; i++)
			used = used || order[i] == candidate;
		if (used)
			continue;
		order[chosen] = candidate;
		add_orders(buf, pairs, count, order, chosen + 1);
	}
}

char *cookies_pattern(char *const *pairs, size_t count)
{
	size_t order[COOKIES_MAXIMUM] = {0};
	AUTO_BUF orders = BUF_INIT(PATTERN_MAXIMUM);
	add_orders(&orders, pairs, count, order, 0);
	bool several = count > 1;
	return mem_format(
		BEFORE "%s%s%s" AFTER, several ? "(?:" : "", buf_text(&orders), several ? ")" : "");
}

char *cookie_pattern(const char *name, const char *value_pattern)
{
	AUTO_STRING pair = cookie_pair(name, value_pattern);
	return cookies_pattern(&pair, 1);
}

/* --- a user's expression -------------------------------------------------------------------- */

static int refuse(
	const char *pattern, const struct re2_token *token, const char *reason, struct err *err)
{
	return err_set(err, ERR_USAGE, "\"%s\": %s, at character %zu", pattern, reason,
		utf8_count(pattern, token->start) + 1);
}

static bool matches_semicolon(const char *class)
{
	AUTO_REGEX regex = NULL;
	return regex_compile(class, &regex, NULL) == 0 && regex_matches(regex, ";") == 1;
}

/* \D, \S, \W and \P{…} as a class without the semicolon; false for others. */
static bool add_negated_set(struct buf *buf, const char *text)
{
	static const char NEGATED[] = "DSWP", POSITIVE[] = "dswp";
	const char *place = strchr(NEGATED, text[1]);
	if (text[1] == '\0' || place == NULL)
		return false;
	buf_addf(buf, "[^\\%c%s;]", POSITIVE[place - NEGATED], text + 2);
	return true;
}

static int add_class(struct buf *buf, const char *pattern, const struct re2_token *token,
	const char *text, struct err *err)
{
	if (!matches_semicolon(text)) {
		buf_add_text(buf, text);
		return 0;
	}
	if (token->kind == RE2_CLASS && text[1] == '^') {
		/* In front, where no "-" makes a range of it. Of what was there, "]" would end
		 * the class now, and "-" make a range itself. */
		bool escape = text[2] == ']' || text[2] == '-';
		buf_addf(buf, "[^;%s%s", escape ? "\\" : "", text + 2);
		return 0;
	}
	if (token->kind == RE2_SET && add_negated_set(buf, text))
		return 0;
	return refuse(pattern, token, "this would match ';', which ends a cookie's value", err);
}

static int add_token(
	struct buf *buf, const char *pattern, const struct re2_token *token, struct err *err)
{
	AUTO_STRING text = mem_strndup(pattern + token->start, token->end - token->start);
	switch (token->kind) {
	case RE2_ANY:
		buf_add_text(buf, "[^;]");
		return 0;
	case RE2_CLASS:
	case RE2_SET:
		return add_class(buf, pattern, token, text, err);
	case RE2_CHARACTER:
		if (token->character == ';')
			return refuse(pattern, token, "a cookie's value never contains ';'", err);
		break;
	case RE2_EDGE:
		if (token->edge != 'b' && token->edge != 'B')
			return refuse(pattern, token,
				"all of the value is matched: leave its ends out", err);
		break;
	case RE2_OPEN:
	case RE2_CLOSE:
	case RE2_BAR:
	case RE2_FLAGS:
	case RE2_REPEAT:
		break;
	}
	buf_add_text(buf, text);
	return 0;
}

int cookie_value_pattern(const char *pattern, char **ret, struct err *err)
{
	AUTO_REGEX regex = NULL;
	int code = regex_compile(pattern, &regex, err);
	if (code != 0)
		return code;
	AUTO_BUF buf = BUF_INIT(PATTERN_MAXIMUM);
	CLEANUP(mem_cleanup) struct re2 *scanner = mem_alloc(1, sizeof(*scanner));
	re2_init(scanner, pattern, err);
	struct re2_token token;
	buf_add_text(&buf, "(?:");
	while ((code = re2_next(scanner, &token)) > 0) {
		/* What stands in \Q…\E comes one by one. */
		code = scanner->quoting ? refuse(pattern, &token,
						  "\\Q is not taken in cookies: quote each "
						  "character with \\",
						  err)
					: add_token(&buf, pattern, &token, err);
		if (code < 0)
			return code;
	}
	if (code < 0)
		return code;
	buf_add_text(&buf, ")");
	*ret = buf_take(&buf);
	return 0;
}
