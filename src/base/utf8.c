#include "base/utf8.h"

#include "base/mem.h"

static const struct {
	unsigned char mask, lead;
	uint32_t minimum;
} FORMS[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

size_t utf8_decode(const char *text, uint32_t *ret)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t more = 0;
	while (more < COUNT_OF(FORMS) && (bytes[0] & FORMS[more].mask) != FORMS[more].lead)
		more++;
	if (more == COUNT_OF(FORMS))
		return 0;
	uint32_t c = bytes[0] & (unsigned char)~FORMS[more].mask;
	for (size_t i = 1; i <= more; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (bytes[i] & 0x3f);
	}
	if (c < FORMS[more].minimum || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (ret != NULL)
		*ret = c;
	return more + 1;
}

bool utf8_valid(const char *text)
{
	while (*text != '\0') {
		size_t length = utf8_decode(text, NULL);
		if (length == 0)
			return false;
		text += length;
	}
	return true;
}

size_t utf8_count(const char *text, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}
