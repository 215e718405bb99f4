#include "data/yaml_scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const uint64_t EXACT = (uint64_t)1 << 53; /* up to here, doubles are */

static const struct {
	const char *spellings[6];
	struct yaml_scalar meaning;
} WORDS[] = {
	{{"", "~", "null", "Null", "NULL"}, {.type = YAML_NULL}},
	{{"true", "True", "TRUE"}, {.type = YAML_BOOL, .truth = true}},
	{{"y", "Y", "yes", "Yes", "YES"}, {.type = YAML_BOOL, .truth = true}},
	{{"on", "On", "ON"}, {.type = YAML_BOOL, .truth = true}},
	{{"false", "False", "FALSE"}, {.type = YAML_BOOL, .truth = false}},
	{{"n", "N", "no", "No", "NO"}, {.type = YAML_BOOL, .truth = false}},
	{{"off", "Off", "OFF"}, {.type = YAML_BOOL, .truth = false}},
	{{".nan", ".NaN", ".NAN"}, {.type = YAML_NOT_FINITE}},
	{{".inf", ".Inf", ".INF"}, {.type = YAML_NOT_FINITE}},
	{{"+.inf", "+.Inf", "+.INF"}, {.type = YAML_NOT_FINITE}},
	{{"-.inf", "-.Inf", "-.INF"}, {.type = YAML_NOT_FINITE}},
	{{"<<"}, {.type = YAML_MERGE}},
};

static bool find_word(const char *text, struct yaml_scalar *ret)
{
	for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
		for (size_t j = 0; j < COUNT_OF(WORDS[i].spellings); j++) {
			if (WORDS[i].spellings[j] != NULL &&
				strcmp(WORDS[i].spellings[j], text) == 0) {
				*ret = WORDS[i].meaning;
				return true;
			}
		}
	}
	return false;
}

/* The base that a number's digits are in; moves the text behind its prefix. */
static int take_base(const char **text)
{
	static const struct {
		char letter;
		int base;
	} PREFIXES[] = {{'x', 16}, {'o', 8}, {'b', 2}};
	if ((*text)[0] != '0' || (*text)[1] == '\0')
		return 10;
	for (size_t i = 0; i < COUNT_OF(PREFIXES); i++) {
		if (tolower((unsigned char)(*text)[1]) == PREFIXES[i].letter) {
			*text += 2;
			return PREFIXES[i].base;
		}
	}
	*text += 1;
	return 8;
}

/* An integer, without underscores. False where the text is none, or is a decimal too long for 64
 * bits, which is a float then. */
static bool read_integer(const char *text, struct yaml_scalar *ret)
{
	bool negative = text[0] == '-';
	const char *digits = text + (text[0] == '-' || text[0] == '+');
	int base = take_base(&digits);
	uint64_t value = 0;
	bool overflow = false;
	if (*digits == '\0')
		return false;
	for (const char *p = digits; *p != '\0'; p++) {
		int digit = isdigit((unsigned char)*p)	  ? *p - '0'
			    : isxdigit((unsigned char)*p) ? tolower((unsigned char)*p) - 'a' + 10
							  : 16;
		if (digit >= base)
			return false;
		overflow = overflow || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
			   __builtin_add_overflow(value, (uint64_t)digit, &value);
	}
	if (overflow && base == 10)
		return false;
	bool exact = !overflow && value <= EXACT;
	*ret = (struct yaml_scalar){.type = exact ? YAML_INT : YAML_TOO_LARGE,
		.number = negative && value > 0 ? -(double)value : (double)value};
	return true;
}

static const char *skip_digits(const char *p)
{
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* A decimal float: digits with a point somewhere, and an exponent perhaps. */
static bool read_float(const char *text, struct yaml_scalar *ret)
{
	const char *p = text + (text[0] == '-' || text[0] == '+');
	const char *whole = p;
	p = skip_digits(p);
	bool any = p > whole;
	if (*p == '.') {
		const char *fraction = ++p;
		p = skip_digits(p);
		any = any || p > fraction;
	}
	if (!any)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		const char *exponent = p;
		p = skip_digits(p);
		if (p == exponent)
			return false;
	}
	if (*p != '\0')
		return false;
	double number = strtod(text, NULL);
	if (!isfinite(number))
		return false;
	*ret = (struct yaml_scalar){.type = YAML_FLOAT, .number = number};
	return true;
}

static char *without_underscores(const char *text)
{
	char *plain = mem_alloc(strlen(text) + 1, 1), *to = plain;
	for (const char *p = text; *p != '\0'; p++)
		if (*p != '_')
			*to++ = *p;
	return plain;
}

struct yaml_scalar yaml_scalar_resolve(const char *text)
{
	struct yaml_scalar scalar = {.type = YAML_STRING};
	if (find_word(text, &scalar))
		return scalar;
	if (text[0] == '.') {
		(void)read_float(text, &scalar);
	} else if (isdigit((unsigned char)text[0]) || text[0] == '-' || text[0] == '+') {
		AUTO_STRING plain = without_underscores(text);
		if (!read_integer(plain, &scalar))
			(void)read_float(plain, &scalar);
	}
	return scalar;
}

/* YYYY-M-D, alone or with a time behind it. */
static bool looks_like_timestamp(const char *text)
{
	const char *p = skip_digits(text);
	if (p - text != 4 || *p != '-')
		return false;
	for (int part = 0; part < 2; part++) {
		if (*p != '-')
			return false;
		const char *start = ++p;
		p = skip_digits(p);
		if (p == start || p - start > 2)
			return false;
	}
	return *p == '\0' || *p == 'T' || *p == 't' || *p == ' ';
}

/* 1:30:00 and the like were numbers in YAML 1.1. */
static bool looks_like_base_60(const char *text)
{
	const char *p = text + (text[0] == '-' || text[0] == '+');
	return isdigit((unsigned char)*p) && strchr(p, ':') != NULL &&
	       p[strspn(p, "0123456789_:.")] == '\0';
}

bool yaml_scalar_needs_quotes(const char *text)
{
	return yaml_scalar_resolve(text).type != YAML_STRING || looks_like_timestamp(text) ||
	       looks_like_base_60(text);
}
