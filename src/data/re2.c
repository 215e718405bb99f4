#include "data/re2.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

/* What RE2 compiles a thing to, roughly but never too few instructions: each proxy counts them. */
enum {
	SIZE_WHOLE = 4,
	SIZE_EDGE = 1,
	SIZE_ANY = 8,
	SIZE_GROUP = 2,
	SIZE_REPEAT = 2,
	SIZE_BAR = 1,
	SIZE_NEGATED = 18, /* what is missing from a class splits the ranges of UTF-8 */
};

/* Go and RE2 both refuse counts beyond, also as the product of nested ones. */
#define MAXIMUM_REPEATS 1000

void re2_init(struct re2 *scanner, const char *pattern, struct err *err)
{
	*scanner = (struct re2){.cursor = {.pattern = pattern, .err = err}};
	scanner->frames[0].size = SIZE_WHOLE;
	scanner->frames[0].repeats = 1;
}

static struct re2_frame *innermost(struct re2 *scanner)
{
	return &scanner->frames[scanner->depth];
}

static const char *rest(const struct re2 *scanner)
{
	return scanner->cursor.pattern + scanner->cursor.at;
}

static int refuse_from(
	const struct re2 *scanner, size_t start, const char *what, const char *verdict)
{
	return re2_refuse(&scanner->cursor, start, scanner->cursor.at, what, verdict);
}

/* A thing that can be repeated has been read. */
static int add_thing(struct re2 *scanner, uint64_t size, int repeats)
{
	struct re2_frame *frame = innermost(scanner);
	frame->size += size;
	frame->last_size = size;
	frame->last_repeats = repeats;
	if (frame->repeats < repeats)
		frame->repeats = repeats;
	frame->last = RE2_REPEATABLE;
	return 1;
}

/* --- characters and sets -------------------------------------------------------------------- */

static int add_character(struct re2 *scanner, struct re2_token *ret)
{
	const struct re2_item item = {.low = ret->character, .high = ret->character};
	ret->kind = RE2_CHARACTER;
	return add_thing(scanner, re2_item_size(&item, scanner->flags.caseless), 1);
}

static int read_character(struct re2 *scanner, struct re2_token *ret)
{
	int result = re2_read_character(&scanner->cursor, &ret->character);
	return result < 0 ? result : add_character(scanner, ret);
}

static int read_any(struct re2 *scanner, struct re2_token *ret)
{
	scanner->cursor.at++;
	ret->kind = RE2_ANY;
	return add_thing(scanner, SIZE_ANY, 1);
}

static int read_class(struct re2 *scanner, struct re2_token *ret)
{
	struct re2_cursor *cursor = &scanner->cursor;
	bool negated = cursor->pattern[++cursor->at] == '^';
	uint64_t size = negated ? SIZE_NEGATED : 0;
	cursor->at += negated;
	do { /* a "]" that comes first is a member */
		struct re2_item item;
		if (*rest(scanner) == '\0')
			return refuse_from(scanner, ret->start, "a class", " is not closed");
		int result = re2_read_item(cursor, scanner->flags.caseless, &item);
		if (result < 0)
			return result;
		size += re2_item_size(&item, scanner->flags.caseless);
	} while (*rest(scanner) != ']');
	cursor->at++;
	ret->kind = RE2_CLASS;
	return add_thing(scanner, size, 1);
}

static int add_edge(struct re2 *scanner, char edge, size_t length, struct re2_token *ret)
{
	scanner->cursor.at += length;
	ret->kind = RE2_EDGE;
	ret->edge = edge;
	return add_thing(scanner, SIZE_EDGE, 1);
}

static int read_edge(struct re2 *scanner, struct re2_token *ret)
{
	char edge = *rest(scanner);
	if (!scanner->flags.multiline)
		edge = edge == '^' ? 'A' : 'z';
	return add_edge(scanner, edge, 1, ret);
}

static int read_escape(struct re2 *scanner, struct re2_token *ret)
{
	struct re2_cursor *cursor = &scanner->cursor;
	char letter = rest(scanner)[1];
	if (letter != '\0' && strchr("AzbB", letter) != NULL)
		return add_edge(scanner, letter, 2, ret);
	if (letter == 'Q') {
		cursor->at += 2;
		scanner->quoting = true;
		innermost(scanner)->last = RE2_NOTHING;
		return 0;
	}
	int result = re2_read_set(cursor, scanner->flags.caseless, &ret->set);
	if (result > 0) {
		ret->kind = RE2_SET;
		return add_thing(scanner, re2_item_size(&ret->set, scanner->flags.caseless), 1);
	}
	if (result == 0)
		result = re2_read_escape(cursor, &ret->character);
	return result < 0 ? result : add_character(scanner, ret);
}

static int read_quoted(struct re2 *scanner, struct re2_token *ret)
{
	if (!str_starts(rest(scanner), "\\E"))
		return read_character(scanner, ret);
	scanner->cursor.at += 2;
	scanner->quoting = false;
	return 0;
}

/* --- groups --------------------------------------------------------------------------------- */

/* What Perl and PCRE2 have behind "(?". */
static const struct {
	const char *beginning;
	const char *what;
} FOREIGN_GROUPS[] = {
	{"(?=", "look-ahead"},
	{"(?!", "negative look-ahead"},
	{"(?<=", "look-behind"},
	{"(?<!", "negative look-behind"},
	{"(?>", "an atomic group"},
	{"(?(", "a conditional"},
	{"(?|", "a branch reset"},
	{"(?#", "a comment"},
	{"(?P=", "a back-reference"},
	{"(?P>", "recursion"},
	{"(?&", "recursion"},
	{"(?R", "recursion"},
	{"(?+", "recursion"},
	{"(?'", "a name in quotes"},
};

static int open_group(struct re2 *scanner, struct re2_token *ret)
{
	if (scanner->depth == RE2_MAXIMUM_DEPTH)
		return refuse_from(scanner, ret->start, "a group", " is nested too deeply");
	scanner->frames[++scanner->depth] = (struct re2_frame){
		.start = ret->start,
		.flags = scanner->flags,
		.size = SIZE_GROUP,
		.repeats = 1,
	};
	ret->kind = RE2_OPEN;
	return 1;
}

static int read_named_group(struct re2 *scanner, size_t prefix, struct re2_token *ret)
{
	const char *name = rest(scanner) + prefix;
	size_t length = 0;
	while (isalnum((unsigned char)name[length]) || name[length] == '_')
		length++;
	scanner->cursor.at += prefix + length;
	if (length == 0 || name[length] != '>')
		return refuse_from(scanner, ret->start, "a group",
			" needs a name of letters, digits and _, and a > behind it");
	scanner->cursor.at++;
	return open_group(scanner, ret);
}

/* One letter of "(?is-m:"; false where it is none. */
static bool set_flag(struct re2_flags *flags, char letter, bool on)
{
	bool greedy = on; /* U: does not change what matches as a whole */
	const struct {
		char letter;
		bool *flag;
	} known[] = {{'i', &flags->caseless}, {'m', &flags->multiline}, {'s', &flags->dot_all},
		{'U', &greedy}};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].letter != letter)
			continue;
		*known[i].flag = on;
		return true;
	}
	return false;
}

/* "(?flags)" and "(?flags:". */
static int read_flags(struct re2 *scanner, struct re2_token *ret)
{
	struct re2_cursor *cursor = &scanner->cursor;
	struct re2_flags flags = scanner->flags;
	bool on = true, needed = false;
	char c;
	for (cursor->at += 2; (c = *rest(scanner)) != ')' && c != ':'; cursor->at++) {
		bool minus = c == '-' && on;
		if (!minus && !set_flag(&flags, c, on)) {
			cursor->at += c == '\0' ? 0 : utf8_decode(rest(scanner), NULL);
			return refuse_from(scanner, ret->start, "a group", NOT_RE2);
		}
		on = on && !minus;
		needed = minus;
	}
	cursor->at++;
	if (needed)
		return refuse_from(scanner, ret->start, "a flag", " is missing");
	if (c == ':') {
		int result = open_group(scanner, ret);
		if (result < 0)
			return result;
	} else {
		ret->kind = RE2_FLAGS;
		innermost(scanner)->last = RE2_NOTHING;
	}
	scanner->flags = flags;
	return 1;
}

static int read_group(struct re2 *scanner, struct re2_token *ret)
{
	const char *text = rest(scanner);
	for (size_t i = 0; i < COUNT_OF(FOREIGN_GROUPS); i++)
		if (str_starts(text, FOREIGN_GROUPS[i].beginning))
			return re2_refuse(&scanner->cursor, ret->start,
				ret->start + strlen(FOREIGN_GROUPS[i].beginning),
				FOREIGN_GROUPS[i].what, NOT_RE2);
	if (str_starts(text, "(?P<"))
		return read_named_group(scanner, 4, ret);
	if (str_starts(text, "(?<"))
		return read_named_group(scanner, 3, ret);
	if (str_starts(text, "(?"))
		return read_flags(scanner, ret);
	scanner->cursor.at++;
	return open_group(scanner, ret);
}

static int read_close(struct re2 *scanner, struct re2_token *ret)
{
	scanner->cursor.at++;
	if (scanner->depth == 0)
		return refuse_from(scanner, ret->start, "a parenthesis", " closes nothing");
	struct re2_frame group = scanner->frames[scanner->depth--];
	scanner->flags = group.flags;
	ret->kind = RE2_CLOSE;
	return add_thing(scanner, group.size, group.repeats);
}

static int read_bar(struct re2 *scanner, struct re2_token *ret)
{
	scanner->cursor.at++;
	innermost(scanner)->size += SIZE_BAR;
	innermost(scanner)->last = RE2_NOTHING;
	ret->kind = RE2_BAR;
	return 1;
}

/* --- repetitions ---------------------------------------------------------------------------- */

/* A number without leading zeros; what is beyond all limits stays so. Gives its length, or 0. */
static size_t read_count(const char *text, int *ret)
{
	size_t length = 0;
	*ret = 0;
	for (; isdigit((unsigned char)text[length]); length++)
		if (*ret <= MAXIMUM_REPEATS)
			*ret = *ret * 10 + (text[length] - '0');
	return length > 1 && text[0] == '0' ? 0 : length;
}

/* The length of "{2}", "{2,}" or "{2,3}"; 0 where the brace stands for itself. */
static size_t read_braces(const char *text, struct re2_token *ret)
{
	size_t length = read_count(text + 1, &ret->minimum);
	if (length++ == 0)
		return 0;
	ret->maximum = ret->minimum;
	if (text[length] == ',' && text[length + 1] == '}') {
		ret->maximum = -1;
		return length + 2;
	}
	if (text[length] == ',') {
		size_t more = read_count(text + length + 1, &ret->maximum);
		if (more == 0)
			return 0;
		length += more + 1;
	}
	return text[length] == '}' ? length + 1 : 0;
}

static size_t read_operator(const char *text, struct re2_token *ret)
{
	if (*text == '{')
		return read_braces(text, ret);
	ret->minimum = *text == '+';
	ret->maximum = *text == '?' ? 1 : -1;
	return 1;
}

/* Applies it to the last thing. */
static int repeat(struct re2 *scanner, const struct re2_token *token)
{
	struct re2_frame *frame = innermost(scanner);
	int times = token->maximum < 0 ? token->minimum : token->maximum;
	if (times > MAXIMUM_REPEATS || token->minimum > MAXIMUM_REPEATS)
		return refuse_from(scanner, token->start, "a count", " is more than 1000");
	if (token->maximum >= 0 && token->minimum > token->maximum)
		return refuse_from(
			scanner, token->start, "a count", " has its ends the wrong way round");
	times = times > 1 ? times : 1;
	if (times * frame->last_repeats > MAXIMUM_REPEATS)
		return refuse_from(scanner, token->start, "a count",
			" multiplies with those within to more than 1000");
	uint64_t before = frame->last_size;
	frame->size -= before;
	(void)add_thing(scanner, (before + SIZE_REPEAT) * (uint64_t)times + SIZE_REPEAT,
		times * frame->last_repeats);
	frame->last = RE2_REPEATED;
	frame->last_repeat = token->start;
	return 1;
}

static int read_repeat(struct re2 *scanner, struct re2_token *ret)
{
	size_t length = read_operator(rest(scanner), ret);
	if (length == 0)
		return read_character(scanner, ret);
	scanner->cursor.at += length;
	ret->kind = RE2_REPEAT;
	if (*rest(scanner) == '?') /* lazy: does not change what matches as a whole */
		scanner->cursor.at++;
	const struct re2_frame *frame = innermost(scanner);
	if (frame->last == RE2_NOTHING)
		return refuse_from(scanner, ret->start, "a repetition", " has nothing to repeat");
	if (frame->last == RE2_REPEATED) {
		bool possessive = scanner->cursor.pattern[ret->start] == '+';
		return refuse_from(scanner, frame->last_repeat,
			possessive ? "a possessive repetition" : "a repetition of a repetition",
			NOT_RE2);
	}
	return repeat(scanner, ret);
}

/* --- the pattern ---------------------------------------------------------------------------- */

/* Each gives 1, or a negative code; 0 where what it read is no token. */
static const struct {
	char first;
	int (*read)(struct re2 *scanner, struct re2_token *ret);
} READERS[] = {
	{'(', read_group},
	{')', read_close},
	{'|', read_bar},
	{'[', read_class},
	{'\\', read_escape},
	{'.', read_any},
	{'^', read_edge},
	{'$', read_edge},
	{'*', read_repeat},
	{'+', read_repeat},
	{'?', read_repeat},
	{'{', read_repeat},
};

static int read_token(struct re2 *scanner, struct re2_token *ret)
{
	*ret = (struct re2_token){.start = scanner->cursor.at};
	if (scanner->quoting)
		return read_quoted(scanner, ret);
	for (size_t i = 0; i < COUNT_OF(READERS); i++)
		if (READERS[i].first == *rest(scanner))
			return READERS[i].read(scanner, ret);
	return read_character(scanner, ret);
}

uint64_t re2_size(const struct re2 *scanner)
{
	return scanner->frames[0].size;
}

static int finish(const struct re2 *scanner)
{
	if (scanner->depth > 0) {
		size_t start = scanner->frames[scanner->depth].start;
		return re2_refuse(&scanner->cursor, start, start + 1, "a group", " is not closed");
	}
	if (re2_size(scanner) > RE2_MAXIMUM_INSTRUCTIONS)
		return err_set(scanner->cursor.err, ERR_USAGE,
			"\"%s\": this is too large for proxies when its repetitions are unfolded",
			scanner->cursor.pattern);
	return 0;
}

int re2_next(struct re2 *scanner, struct re2_token *ret)
{
	if (scanner->cursor.at == 0 && strlen(scanner->cursor.pattern) > RE2_MAXIMUM_BYTES)
		return err_set(scanner->cursor.err, ERR_USAGE,
			"a regular expression of %zu bytes: Istio takes at most %d",
			strlen(scanner->cursor.pattern), RE2_MAXIMUM_BYTES);
	struct re2_token token;
	int result = 0;
	while (result == 0 && *rest(scanner) != '\0')
		result = read_token(scanner, &token);
	if (result == 0)
		return finish(scanner);
	if (result > 0) {
		token.end = scanner->cursor.at;
		token.flags = scanner->flags;
		*ret = token;
	}
	return result;
}
