#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

int parse_int(const char *text, int64_t minimum, int64_t maximum, int64_t *ret, struct err *err)
{
	char *end;
	errno = 0;
	int64_t value = strtoll(text, &end, 10);
	bool starts = isdigit((unsigned char)text[0]) || text[0] == '-';
	if (!starts || *end != '\0' || end == text || errno == ERANGE || value < minimum ||
		value > maximum)
		return err_set(err, ERR_USAGE,
			"\"%s\" is not a whole number from %" PRId64 " to %" PRId64, text, minimum,
			maximum);
	*ret = value;
	return 0;
}

static const struct {
	const char *unit;
	double ms;
} UNITS[] = {{"ms", 1}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};

int parse_duration(const char *text, int64_t *ret_ms, struct err *err)
{
	static const double MAXIMUM_MS = 1e13; /* 300 years, far from any overflow */
	double total = 0;
	const char *p = text;
	if (str_equal(text, "0")) {
		*ret_ms = 0;
		return 0;
	}
	do {
		if (!isdigit((unsigned char)*p) && *p != '.')
			goto bad;
		/* Digits and one point only: strtod would also take hex, exponents, "inf". */
		const char *number_end = p + strspn(p, "0123456789.");
		AUTO_STRING number = mem_strndup(p, (size_t)(number_end - p));
		char *end;
		double value = strtod(number, &end);
		if (*end != '\0' || end == number)
			goto bad;
		p = number_end;
		size_t i = 0;
		while (i < COUNT_OF(UNITS) && !str_starts(p, UNITS[i].unit))
			i++;
		if (i == COUNT_OF(UNITS))
			goto bad;
		total += value * UNITS[i].ms;
		p += strlen(UNITS[i].unit);
	} while (*p != '\0' && total <= MAXIMUM_MS);
	if (total > MAXIMUM_MS)
		goto bad;
	*ret_ms = (int64_t)(total + 0.5);
	return 0;
bad:
	return err_set(
		err, ERR_USAGE, "\"%s\" is not a duration like 500ms, 2s, 1m30s or 1h", text);
}

char *format_duration(int64_t ms, char buffer[32])
{
	int64_t hours = ms / 3600000, minutes = ms / 60000 % 60, seconds = ms / 1000 % 60;
	int64_t rest = ms % 1000;
	if (ms == 0) {
		(void)snprintf(buffer, 32, "0s");
		return buffer;
	}
	size_t used = 0;
	const struct {
		int64_t amount;
		const char *unit;
	} parts[] = {{hours, "h"}, {minutes, "m"}, {seconds, "s"}, {rest, "ms"}};
	buffer[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (parts[i].amount != 0 && used < 32)
			used += (size_t)snprintf(buffer + used, 32 - used, "%" PRId64 "%s",
				parts[i].amount, parts[i].unit);
	return buffer;
}

int parse_time(const char *text, int64_t *ret_seconds, struct err *err)
{
	struct tm parts = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	if (end == NULL || *end != '\0')
		return err_set(err, ERR_USAGE, "\"%s\" is not a time in UTC", text);
	*ret_seconds = timegm(&parts);
	return 0;
}

int check_label_value(const char *text, struct err *err)
{
	size_t length = strlen(text);
	bool ok = length > 0 && length <= 63 && isalnum((unsigned char)text[0]) &&
		  isalnum((unsigned char)text[length - 1]);
	for (size_t i = 0; ok && i < length; i++)
		ok = isalnum((unsigned char)text[i]) || strchr("-_.", text[i]) != NULL;
	if (!ok)
		return err_set(err, ERR_USAGE,
			"\"%s\" is not a label value: at most 63 letters, digits, '-', '_' and "
			"'.', "
			"beginning and ending with a letter or digit",
			text);
	return 0;
}

int check_object_name(const char *text, int maximum, struct err *err)
{
	size_t length = strlen(text);
	bool ok = length > 0 && length <= (size_t)maximum;
	bool dots = maximum > 63;
	for (size_t i = 0; ok && i < length; i++) {
		/* Of the whole name, and of each part between dots. */
		bool edge = i == 0 || i == length - 1 ||
			    (dots && (text[i - 1] == '.' || text[i + 1] == '.'));
		ok = islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
		     (!edge && (text[i] == '-' || (dots && text[i] == '.')));
	}
	if (!ok)
		return err_set(err, ERR_USAGE,
			"\"%s\" is not a name: at most %d lower-case letters, digits and '-', "
			"beginning and ending with a letter or digit",
			text, maximum);
	return 0;
}
