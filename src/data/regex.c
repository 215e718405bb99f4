#include "data/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "data/re2.h"

/* A pattern of the maximum length that consists of the sets with the longest translation. */
#define TRANSLATION_MAXIMUM ((size_t)1 << 20)

/* States that PCRE2 may have under way, in ints: beyond, it would not come to an end either. */
#define WORKSPACE_FIRST 4096
#define WORKSPACE_MAXIMUM ((size_t)1 << 20)

/* Beyond this product of the pattern's instructions, squared, and the text's bytes, matching could
 * take longer than anybody waits; patterns that are meant come nowhere near. */
#define WORK_MAXIMUM 40e9

struct regex {
	pcre2_code *code;
	uint64_t size; /* instructions, as re2.h counts them */
};

/* --- RE2 to PCRE2 --------------------------------------------------------------------------- */

/*
 * Where the two differ is written out: characters by their numbers, sets as ranges, edges as what
 * they look at. Lazy repetitions are left out, and names: a match of the whole text has no use for
 * them.
 */
struct translation {
	const char *pattern;
	struct buf *text;
	size_t last;	   /* where the last thing begins in text */
	bool is_character; /* that thing is one character or a set of them */
};

static void add_range(struct buf *buf, uint32_t low, uint32_t high)
{
	if (low <= high)
		buf_addf(buf, "\\x{%x}-\\x{%x}", low, high);
}

/* All other characters. Under (?i) those are none with another case in the group, either: PCRE2
 * adds the other cases of what is written, so the long s and the Kelvin sign are left out. */
static void add_complement(struct buf *buf, const struct re2_group *group, bool caseless)
{
	bool in[0x80] = {false};
	for (size_t i = 0; i < group->count; i++)
		for (int c = group->ranges[i][0]; c <= group->ranges[i][1]; c++)
			in[c] = true;
	for (int upper = 'A'; caseless && upper <= 'Z'; upper++) {
		int lower = upper - 'A' + 'a';
		in[upper] = in[lower] = in[upper] || in[lower];
	}
	for (uint32_t c = 0; c < 0x80; c++)
		if (!in[c])
			add_range(buf, c, c);
	uint32_t low = 0x80;
	const struct {
		char letter;
		uint32_t same;
	} beyond[] = {{'s', 0x17f}, {'k', 0x212a}};
	for (size_t i = 0; caseless && i < COUNT_OF(beyond); i++) {
		if (!in[(unsigned char)beyond[i].letter])
			continue;
		add_range(buf, low, beyond[i].same - 1);
		low = beyond[i].same + 1;
	}
	add_range(buf, low, 0x10ffff);
}

static void add_item(struct buf *buf, const struct re2_item *item, bool caseless)
{
	if (item->property != NULL) {
		buf_addf(buf, "\\%c{%s}", item->negated ? 'P' : 'p', item->property);
	} else if (item->group == NULL) {
		add_range(buf, item->low, item->high);
	} else if (item->negated) {
		add_complement(buf, item->group, caseless);
	} else {
		for (size_t i = 0; i < item->group->count; i++)
			add_range(buf, item->group->ranges[i][0], item->group->ranges[i][1]);
	}
}

static void add_character(struct translation *to, const struct re2_token *token)
{
	buf_addf(to->text, "\\x{%x}", token->character);
}

static void add_any(struct translation *to, const struct re2_token *token)
{
	buf_add_text(to->text, token->flags.dot_all ? "\\p{Any}" : "[^\\n]");
}

static void add_class(struct translation *to, const struct re2_token *token)
{
	struct re2_cursor cursor = {.pattern = to->pattern, .at = token->start + 1};
	bool negated = to->pattern[cursor.at] == '^';
	cursor.at += negated;
	buf_add_text(to->text, negated ? "[^" : "[");
	while (cursor.at < token->end - 1) {
		struct re2_item item = {0};
		(void)re2_read_item(&cursor, token->flags.caseless, &item);
		add_item(to->text, &item, token->flags.caseless);
	}
	buf_add_char(to->text, ']');
}

static void add_set(struct translation *to, const struct re2_token *token)
{
	buf_add_char(to->text, '[');
	add_item(to->text, &token->set, token->flags.caseless);
	buf_add_char(to->text, ']');
}

/* In groups, because PCRE2 does not repeat edges. */
static void add_edge(struct translation *to, const struct re2_token *token)
{
	static const struct {
		char edge;
		const char *text;
	} EDGES[] = {{'A', "(?:\\A)"}, {'z', "(?:\\z)"}, {'^', "(?:(?<![^\\n]))"},
		{'$', "(?:(?![^\\n]))"}, {'b', "(?:\\b)"}, {'B', "(?:\\B)"}};
	for (size_t i = 0; i < COUNT_OF(EDGES); i++)
		if (EDGES[i].edge == token->edge)
			buf_add_text(to->text, EDGES[i].text);
}

static void add_open(struct translation *to, const struct re2_token *token)
{
	buf_add_text(to->text, token->flags.caseless ? "(?i:" : "(?-i:");
}

static void add_flags(struct translation *to, const struct re2_token *token)
{
	buf_add_text(to->text, token->flags.caseless ? "(?i)" : "(?-i)");
}

static void add_same(struct translation *to, const struct re2_token *token)
{
	buf_add(to->text, to->pattern + token->start, 1);
}

/* PCRE2 counts how often a+ and a{2,} have matched, without end, and gets slow by it; it does not
 * with a*. So these become aa* and a{2}a*. */
static void add_repeat(struct translation *to, const struct re2_token *token)
{
	if (token->maximum >= 0) {
		buf_addf(to->text, "{%d,%d}", token->minimum, token->maximum);
	} else if (!to->is_character || token->minimum == 0) {
		buf_addf(to->text, "{%d,}", token->minimum);
	} else {
		AUTO_STRING again = mem_strdup(to->text->text + to->last);
		buf_addf(to->text, "{%d}%s*", token->minimum, again);
	}
}

static const struct {
	void (*write)(struct translation *to, const struct re2_token *token);
	bool is_character;
} WRITERS[] = {
	[RE2_CHARACTER] = {add_character, true},
	[RE2_ANY] = {add_any, true},
	[RE2_CLASS] = {add_class, true},
	[RE2_SET] = {add_set, true},
	[RE2_EDGE] = {add_edge, false},
	[RE2_OPEN] = {add_open, false},
	[RE2_CLOSE] = {add_same, false},
	[RE2_BAR] = {add_same, false},
	[RE2_FLAGS] = {add_flags, false},
	[RE2_REPEAT] = {add_repeat, false},
};

static int translate(const char *pattern, struct buf *ret, uint64_t *ret_size, struct err *err)
{
	struct re2 scanner;
	struct re2_token token;
	struct translation to = {.pattern = pattern, .text = ret};
	re2_init(&scanner, pattern, err);
	int result;
	buf_add_text(ret, "\\A(?:");
	while ((result = re2_next(&scanner, &token)) > 0) {
		size_t start = ret->length;
		WRITERS[token.kind].write(&to, &token);
		to.last = start;
		to.is_character = WRITERS[token.kind].is_character;
	}
	buf_add_text(ret, ")\\z");
	*ret_size = re2_size(&scanner);
	return result;
}

/* --- the pattern ---------------------------------------------------------------------------- */

int regex_compile(const char *pattern, struct regex **ret, struct err *err)
{
	AUTO_BUF translated = BUF_INIT(TRANSLATION_MAXIMUM);
	uint64_t size = 0;
	int result = translate(pattern, &translated, &size, err);
	if (result < 0)
		return result;
	int code = 0;
	PCRE2_SIZE offset = 0;
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)buf_text(&translated), translated.length,
		PCRE2_UTF, &code, &offset, NULL);
	if (compiled == NULL) {
		PCRE2_UCHAR reason[256] = "";
		(void)pcre2_get_error_message(code, reason, sizeof(reason));
		return err_set(err, ERR_USAGE, "\"%s\": this cannot be compiled: %s", pattern,
			(const char *)reason);
	}
	struct regex *regex = mem_alloc(1, sizeof(*regex));
	regex->code = compiled;
	regex->size = size;
	*ret = regex;
	return 0;
}

/* With PCRE2's matcher that follows all ways at once: it does not backtrack, so that no pattern
 * takes exponential time. */
static int match(const struct regex *regex, const char *text, size_t workspace_size)
{
	CLEANUP(mem_cleanup) int *workspace = mem_alloc(workspace_size, sizeof(int));
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	if (data == NULL)
		abort();
	int result = pcre2_dfa_match(regex->code, (PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0, 0,
		data, NULL, workspace, workspace_size);
	pcre2_match_data_free(data);
	return result;
}

int regex_matches(const struct regex *regex, const char *text)
{
	if (!utf8_valid(text))
		return 0;
	if ((double)(regex->size * regex->size) * (double)strlen(text) > WORK_MAXIMUM)
		return ERR_FAILED;
	int result = PCRE2_ERROR_DFA_WSSIZE;
	for (size_t size = WORKSPACE_FIRST;
		result == PCRE2_ERROR_DFA_WSSIZE && size <= WORKSPACE_MAXIMUM; size *= 4)
		result = match(regex, text, size);
	if (result >= 0)
		return 1;
	return result == PCRE2_ERROR_NOMATCH ? 0 : ERR_FAILED;
}

void regex_free(struct regex *regex)
{
	if (regex == NULL)
		return;
	pcre2_code_free(regex->code);
	free(regex);
}

void regex_cleanup(struct regex **regex)
{
	regex_free(*regex);
}

char *regex_quote(const char *text)
{
	AUTO_BUF quoted = BUF_INIT(BUF_OWN_TEXT);
	for (; *text != '\0'; text++) {
		if (strchr("\\.+*?()|[]{}^$", *text) != NULL)
			buf_add_char(&quoted, '\\');
		buf_add_char(&quoted, *text);
	}
	return buf_take(&quoted);
}
