#include "preflight/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "base/str.h"

/* Behind the point; before it one more, as the maximum has. What is read stays below 10^38. */
#define DIGITS_MAXIMUM 18
#define NANO (-9)

/* What stands behind the digits: a power of 1024, or of 10. */
static const struct suffix {
	const char *text;
	int of_1024;
	int of_10;
} SUFFIXES[] = {
	{"Ei", 6, 0},
	{"Pi", 5, 0},
	{"Ti", 4, 0},
	{"Gi", 3, 0},
	{"Mi", 2, 0},
	{"Ki", 1, 0},
	{"E", 0, 18},
	{"P", 0, 15},
	{"T", 0, 12},
	{"G", 0, 9},
	{"M", 0, 6},
	{"k", 0, 3},
	{"", 0, 0},
	{"m", 0, -3},
	{"u", 0, -6},
	{"n", 0, NANO},
};

quantity quantity_of(int64_t whole)
{
	return whole * QUANTITY_ONE;
}

static quantity limited(quantity value)
{
	return value > QUANTITY_MAXIMUM ? QUANTITY_MAXIMUM : value;
}

/* value * 10^exponent; what is lost is rounded up. Neither overflows: who is at the maximum stays
 * there. */
static quantity shift(quantity value, int exponent)
{
	bool rest = false;
	for (; exponent > 0 && value > 0 && value < QUANTITY_MAXIMUM; exponent--)
		value *= 10;
	for (; exponent < 0 && value > 0; exponent++) {
		rest = rest || value % 10 != 0;
		value /= 10;
	}
	return limited(value + rest);
}

static quantity power(int base, int exponent)
{
	quantity value = 1;
	while (exponent-- > 0)
		value *= base;
	return value;
}

/* whole.fraction * 1024^exponent; the fraction is so many digits behind the point. */
static quantity scale_binary(quantity whole, quantity fraction, int digits, int exponent)
{
	quantity unit = power(1024, exponent), ten = power(10, digits);
	quantity parts = fraction * unit;
	quantity most = QUANTITY_MAXIMUM / QUANTITY_ONE / unit;
	if (whole > most)
		return QUANTITY_MAXIMUM;
	quantity rest = (parts % ten * QUANTITY_ONE + ten - 1) / ten;
	return limited((whole * unit + parts / ten) * QUANTITY_ONE + rest);
}

/* "e3", "E-2"; a lone "E" is a suffix. */
static bool read_exponent(const char *text, int *ret)
{
	if (text[0] != 'e' && text[0] != 'E')
		return false;
	const char *digits = text + 1 + (text[1] == '-' || text[1] == '+');
	int64_t exponent;
	if (!isdigit((unsigned char)digits[0]) || strlen(digits) > 3 ||
		parse_int(digits, 0, 999, &exponent, NULL) != 0)
		return false;
	*ret = text[1] == '-' ? -(int)exponent : (int)exponent;
	return true;
}

static bool read_suffix(const char *text, struct suffix *ret)
{
	*ret = (struct suffix){0};
	if (read_exponent(text, &ret->of_10))
		return true;
	for (size_t i = 0; i < COUNT_OF(SUFFIXES); i++)
		if (str_equal(text, SUFFIXES[i].text)) {
			*ret = SUFFIXES[i];
			return true;
		}
	return false;
}

/* zeros: whether those in front count. At most one digit more than DIGITS_MAXIMUM is read. */
static quantity read_digits(const char **text, bool zeros, int *ret_count)
{
	quantity value = 0;
	*ret_count = 0;
	for (; isdigit((unsigned char)**text) && *ret_count <= DIGITS_MAXIMUM; (*text)++) {
		value = value * 10 + (**text - '0');
		*ret_count += zeros || value > 0;
	}
	return value;
}

int quantity_parse(const char *text, quantity *ret, struct err *err)
{
	const char *p = text + (text[0] == '-' || text[0] == '+');
	const char *begin = p;
	int before, behind = 0;
	quantity whole = read_digits(&p, false, &before), fraction = 0;
	bool digits = p > begin;
	if (*p == '.') {
		p++;
		fraction = read_digits(&p, true, &behind);
		digits = digits || behind > 0;
	}
	struct suffix suffix;
	if (!digits || behind > DIGITS_MAXIMUM || !read_suffix(p, &suffix))
		return err_set(err, ERR_INVALID, "\"%s\" is not a quantity", text);
	quantity value = suffix.of_1024 > 0 ? scale_binary(whole, fraction, behind, suffix.of_1024)
					    : shift(whole * power(10, behind) + fraction,
						      suffix.of_10 - behind - NANO);
	*ret = text[0] == '-' ? -value : value;
	return 0;
}

int quantity_read(const json *node, quantity *ret, struct err *err)
{
	if (json_text(node) != NULL)
		return quantity_parse(json_text(node), ret, err);
	if (!json_is_number(node))
		return err_set(err, ERR_INVALID, "a quantity is missing");
	AUTO_STRING text = json_print(node);
	return quantity_parse(text, ret, err);
}

/* --- text ----------------------------------------------------------------------------------- */

static bool is_in_bytes(const char *resource)
{
	return strstr(resource, "memory") != NULL || strstr(resource, "storage") != NULL ||
	       strstr(resource, "hugepages-") != NULL;
}

/* Not negative. */
static char *print_whole(quantity value)
{
	char digits[48];
	size_t at = sizeof(digits) - 1;
	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value > 0);
	return mem_strdup(&digits[at]);
}

/* "0.000000001": for what no suffix makes short. */
static char *print_fraction(quantity value, const char *sign)
{
	AUTO_STRING whole = print_whole(value / QUANTITY_ONE);
	char fraction[16];
	(void)snprintf(fraction, sizeof(fraction), ".%09d", (int)(value % QUANTITY_ONE));
	size_t length = strlen(fraction);
	while (length > 0 && strchr("0.", fraction[length - 1]) != NULL)
		fraction[--length] = '\0';
	return mem_format("%s%s%s", sign, whole, fraction);
}

/* The unit of a suffix, in 10^-9. */
static quantity unit_of(const struct suffix *suffix)
{
	return suffix->of_1024 > 0 ? power(1024, suffix->of_1024) * QUANTITY_ONE
				   : power(10, suffix->of_10 - NANO);
}

char *quantity_text(quantity value, const char *resource)
{
	static const int64_t LONG = INT64_C(1000000000000000000);
	bool bytes = is_in_bytes(resource);
	const char *sign = value < 0 ? "-" : "";
	if (value < 0)
		value = -value;
	for (size_t i = 0; i < COUNT_OF(SUFFIXES); i++) {
		const struct suffix *suffix = &SUFFIXES[i];
		quantity unit = unit_of(suffix);
		/* 4000 CPUs are not "4k". */
		if (!bytes && (suffix->of_1024 > 0 || suffix->of_10 > 0))
			continue;
		if (value == 0 || value % unit != 0 || value / unit >= LONG)
			continue;
		AUTO_STRING whole = print_whole(value / unit);
		return mem_format("%s%s%s", sign, whole, suffix->text);
	}
	return print_fraction(value, sign);
}
