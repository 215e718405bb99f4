#include "data/re2_class.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

#define MAXIMUM_CHARACTER 0x10ffff

/* Of what is wrong, as much as shows the place. */
#define SHOWN_BYTES 40

int re2_refuse(const struct re2_cursor *cursor, size_t start, size_t end, const char *what,
	const char *verdict)
{
	const char *pattern = cursor->pattern;
	size_t shown = end - start;
	if (shown > SHOWN_BYTES) {
		shown = SHOWN_BYTES;
		while (shown > 0 && ((unsigned char)pattern[start + shown] & 0xc0) == 0x80)
			shown--;
	}
	return err_set(cursor->err, ERR_USAGE, "\"%s\": %s at character %zu%s: %.*s%s", pattern,
		what, utf8_count(pattern, start) + 1, verdict, (int)shown, pattern + start,
		shown < end - start ? "..." : "");
}

/* --- characters ----------------------------------------------------------------------------- */

int re2_read_character(struct re2_cursor *cursor, uint32_t *ret)
{
	size_t length = utf8_decode(cursor->pattern + cursor->at, ret);
	if (length == 0)
		return re2_refuse(cursor, cursor->at, cursor->at, "no UTF-8", "");
	cursor->at += length;
	return 0;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static uint32_t hex_value(char c)
{
	return (uint32_t)(isdigit((unsigned char)c) ? c - '0'
						    : tolower((unsigned char)c) - 'a' + 10);
}

/* Reads up to a number of hexadecimal digits, and gives how many there were. */
static size_t read_hex(const char *text, size_t maximum, uint32_t *ret)
{
	size_t count = 0;
	*ret = 0;
	for (; count < maximum && isxdigit((unsigned char)text[count]); count++)
		if (*ret <= MAXIMUM_CHARACTER)
			*ret = *ret << 4 | hex_value(text[count]);
	return count;
}

/* The length of \x41 or \x{10ffff}, or 0 where it is neither. */
static size_t hex_escape(const char *text, uint32_t *ret)
{
	if (text[2] != '{')
		return read_hex(text + 2, 2, ret) == 2 ? 4 : 0;
	size_t digits = read_hex(text + 3, SIZE_MAX, ret);
	return digits > 0 && text[3 + digits] == '}' ? digits + 4 : 0;
}

/* The length of \0, \01, \012, \12 or \123; 0 for \1, which would be a back-reference. */
static size_t octal_escape(const char *text, uint32_t *ret)
{
	if (!is_octal(text[1]) || (text[1] != '0' && !is_octal(text[2])))
		return 0;
	size_t length = 1;
	*ret = 0;
	for (; length < 4 && is_octal(text[length]); length++)
		*ret = *ret * 8 + hex_value(text[length]);
	return length;
}

/* \n and the like, and \. for every character of ASCII that is no letter and no digit. */
static size_t plain_escape(const char *text, uint32_t *ret)
{
	static const char LETTERS[] = "afnrtv", CHARACTERS[] = "\a\f\n\r\t\v";
	unsigned char c = (unsigned char)text[1];
	if (c == '\0' || c >= 0x80)
		return 0;
	const char *letter = strchr(LETTERS, c);
	if (letter == NULL && isalnum(c))
		return 0;
	*ret = letter != NULL ? (unsigned char)CHARACTERS[letter - LETTERS] : c;
	return 2;
}

static int refuse_escape(const struct re2_cursor *cursor)
{
	const char *text = cursor->pattern + cursor->at;
	if (text[1] == '\0')
		return re2_refuse(
			cursor, cursor->at, cursor->at + 1, "a backslash", " is the last");
	if (text[1] == 'x')
		return re2_refuse(cursor, cursor->at, cursor->at + 2, "an escape",
			" needs two hexadecimal digits, or some in braces");
	size_t length = utf8_decode(text + 1, NULL);
	const char *what =
		strchr("123456789gk", text[1]) != NULL ? "a back-reference" : "an escape";
	return re2_refuse(cursor, cursor->at, cursor->at + 1 + length, what, NOT_RE2);
}

int re2_read_escape(struct re2_cursor *cursor, uint32_t *ret)
{
	const char *text = cursor->pattern + cursor->at;
	uint32_t character = 0;
	size_t length =
		text[1] == 'x' ? hex_escape(text, &character) : octal_escape(text, &character);
	if (length == 0)
		length = plain_escape(text, &character);
	if (length == 0)
		return refuse_escape(cursor);
	if (character > MAXIMUM_CHARACTER || (character >= 0xd800 && character <= 0xdfff))
		return re2_refuse(cursor, cursor->at, cursor->at + length, "an escape",
			" is no character of Unicode");
	cursor->at += length;
	*ret = character;
	return 0;
}

/* --- sets with names ------------------------------------------------------------------------ */

static const struct re2_group LETTER_GROUPS[] = {
	{"d", 1, {{'0', '9'}}},
	{"s", 3, {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}},
	{"w", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
};

static const struct re2_group POSIX_GROUPS[] = {
	{"alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
	{"alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
	{"ascii", 1, {{0, 0x7f}}},
	{"blank", 2, {{'\t', '\t'}, {' ', ' '}}},
	{"cntrl", 2, {{0, 0x1f}, {0x7f, 0x7f}}},
	{"digit", 1, {{'0', '9'}}},
	{"graph", 1, {{'!', '~'}}},
	{"lower", 1, {{'a', 'z'}}},
	{"print", 1, {{' ', '~'}}},
	{"punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
	{"space", 2, {{'\t', '\r'}, {' ', ' '}}},
	{"upper", 1, {{'A', 'Z'}}},
	{"word", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
	{"xdigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

/* What Go, RE2 and PCRE2 know by one name and with one meaning. Not \pC, with which Go means
 * unassigned ones, too; no names with "_", which newer Go refuses. "sc:" tells PCRE2 to look at a
 * character's own script only. */
static const char *const PROPERTIES[] = {"Any", "Cc", "Cf", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu",
	"M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps",
	"S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs", "sc:Adlam", "sc:Ahom", "sc:Arabic",
	"sc:Armenian", "sc:Avestan", "sc:Balinese", "sc:Bamum", "sc:Batak", "sc:Bengali",
	"sc:Bhaiksuki", "sc:Bopomofo", "sc:Brahmi", "sc:Braille", "sc:Buginese", "sc:Buhid",
	"sc:Carian", "sc:Chakma", "sc:Cham", "sc:Cherokee", "sc:Chorasmian", "sc:Common",
	"sc:Coptic", "sc:Cuneiform", "sc:Cypriot", "sc:Cyrillic", "sc:Deseret", "sc:Devanagari",
	"sc:Dogra", "sc:Duployan", "sc:Elbasan", "sc:Elymaic", "sc:Ethiopic", "sc:Georgian",
	"sc:Glagolitic", "sc:Gothic", "sc:Grantha", "sc:Greek", "sc:Gujarati", "sc:Gurmukhi",
	"sc:Han", "sc:Hangul", "sc:Hanunoo", "sc:Hatran", "sc:Hebrew", "sc:Hiragana",
	"sc:Inherited", "sc:Javanese", "sc:Kaithi", "sc:Kannada", "sc:Katakana", "sc:Kharoshthi",
	"sc:Khmer", "sc:Khojki", "sc:Khudawadi", "sc:Lao", "sc:Latin", "sc:Lepcha", "sc:Limbu",
	"sc:Lisu", "sc:Lycian", "sc:Lydian", "sc:Mahajani", "sc:Makasar", "sc:Malayalam",
	"sc:Mandaic", "sc:Manichaean", "sc:Marchen", "sc:Medefaidrin", "sc:Miao", "sc:Modi",
	"sc:Mongolian", "sc:Mro", "sc:Multani", "sc:Myanmar", "sc:Nabataean", "sc:Nandinagari",
	"sc:Newa", "sc:Nko", "sc:Nushu", "sc:Ogham", "sc:Oriya", "sc:Osage", "sc:Osmanya",
	"sc:Palmyrene", "sc:Phoenician", "sc:Rejang", "sc:Runic", "sc:Samaritan", "sc:Saurashtra",
	"sc:Sharada", "sc:Shavian", "sc:Siddham", "sc:Sinhala", "sc:Sogdian", "sc:Soyombo",
	"sc:Sundanese", "sc:Syriac", "sc:Tagalog", "sc:Tagbanwa", "sc:Takri", "sc:Tamil",
	"sc:Tangut", "sc:Telugu", "sc:Thaana", "sc:Thai", "sc:Tibetan", "sc:Tifinagh", "sc:Tirhuta",
	"sc:Ugaritic", "sc:Vai", "sc:Wancho", "sc:Yezidi", "sc:Yi"};

static const struct re2_group *find_group(
	const struct re2_group *groups, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(groups[i].name) == length && memcmp(groups[i].name, name, length) == 0)
			return &groups[i];
	return NULL;
}

static const char *find_property(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(PROPERTIES); i++) {
		const char *known = PROPERTIES[i] + (str_starts(PROPERTIES[i], "sc:") ? 3 : 0);
		if (strlen(known) == length && memcmp(known, name, length) == 0)
			return PROPERTIES[i];
	}
	return NULL;
}

/* \pN, \PN, \p{Greek}, \p{^Greek} */
static int read_property(struct re2_cursor *cursor, bool caseless, struct re2_item *ret)
{
	const char *text = cursor->pattern + cursor->at, *name = text + 2;
	bool braces = *name == '{';
	const char *end = braces ? strchrnul(name, '}') : name + utf8_decode(name, NULL);
	size_t whole = (size_t)(end - text) + (braces && *end == '}');
	name += braces;
	bool negated = text[1] == 'P';
	if (name < end && *name == '^') {
		negated = !negated;
		name++;
	}
	const char *property = name < end ? find_property(name, (size_t)(end - name)) : NULL;
	if (property == NULL || (braces && *end != '}'))
		return re2_refuse(cursor, cursor->at, cursor->at + whole, "a property",
			" is none that all proxies know");
	if (caseless)
		return re2_refuse(cursor, cursor->at, cursor->at + whole, "a property",
			" is not supported under (?i)");
	*ret = (struct re2_item){.property = property, .negated = negated};
	cursor->at += whole;
	return 1;
}

int re2_read_set(struct re2_cursor *cursor, bool caseless, struct re2_item *ret)
{
	const char *text = cursor->pattern + cursor->at;
	if (text[0] != '\\' || text[1] == '\0')
		return 0;
	if (text[1] == 'p' || text[1] == 'P')
		return read_property(cursor, caseless, ret);
	char letter = (char)tolower((unsigned char)text[1]);
	const struct re2_group *group =
		find_group(LETTER_GROUPS, COUNT_OF(LETTER_GROUPS), &letter, 1);
	if (group == NULL)
		return 0;
	*ret = (struct re2_item){.group = group, .negated = letter != text[1]};
	cursor->at += 2;
	return 1;
}

/* [:alpha:] and [:^alpha:]. What has no ":]" anywhere behind it is not meant as one. */
static int read_posix(struct re2_cursor *cursor, struct re2_item *ret)
{
	const char *text = cursor->pattern + cursor->at;
	const char *end = str_starts(text, "[:") ? strstr(text + 2, ":]") : NULL;
	if (end == NULL)
		return 0;
	bool negated = text[2] == '^';
	const char *name = text + 2 + negated;
	size_t length = name <= end ? (size_t)(end - name) : 0;
	const struct re2_group *group =
		find_group(POSIX_GROUPS, COUNT_OF(POSIX_GROUPS), name, length);
	size_t whole = (size_t)(end - text) + 2;
	if (group == NULL)
		return re2_refuse(cursor, cursor->at, cursor->at + whole, "a class name",
			" is none of POSIX");
	*ret = (struct re2_item){.group = group, .negated = negated};
	cursor->at += whole;
	return 1;
}

/* --- members of a class --------------------------------------------------------------------- */

static int read_member(struct re2_cursor *cursor, uint32_t *ret)
{
	return cursor->pattern[cursor->at] == '\\' ? re2_read_escape(cursor, ret)
						   : re2_read_character(cursor, ret);
}

static int read_range(struct re2_cursor *cursor, struct re2_item *ret)
{
	size_t start = cursor->at;
	uint32_t low = 0;
	int result = read_member(cursor, &low);
	if (result < 0)
		return result;
	uint32_t high = low;
	const char *next = cursor->pattern + cursor->at;
	if (next[0] == '-' && next[1] != ']' && next[1] != '\0') {
		cursor->at++;
		result = read_member(cursor, &high);
		if (result < 0)
			return result;
	}
	if (high < low)
		return re2_refuse(
			cursor, start, cursor->at, "a range", " has its ends the wrong way round");
	*ret = (struct re2_item){.low = low, .high = high};
	return 0;
}

int re2_read_item(struct re2_cursor *cursor, bool caseless, struct re2_item *ret)
{
	int result = read_posix(cursor, ret);
	if (result == 0)
		result = re2_read_set(cursor, caseless, ret);
	if (result == 0)
		result = read_range(cursor, ret);
	return result < 0 ? result : 0;
}

/* Measured: the largest property (\pL) is 1200, a range beyond ASCII at most 18, its other cases
 * within the largest alphabets 400, those of one character 9. */
unsigned re2_item_size(const struct re2_item *item, bool caseless)
{
	if (item->property != NULL)
		return 1300;
	if (item->group != NULL)
		return item->group->count + (caseless ? 8U : 0) + (item->negated ? 18U : 0);
	if (item->high < 0x80)
		return caseless ? 6 : 1;
	if (item->low == item->high)
		return caseless ? 16 : 4;
	return caseless ? 400 : 20;
}
