#include "ui/escape.h"

#include <string.h>

/* The length of the UTF-8 sequence at p (RFC 3629), or 0 where it is broken. */
static size_t sequence_length(const unsigned char *p)
{
	size_t length = p[0] < 0x80		       ? 1
			: p[0] >= 0xc2 && p[0] <= 0xdf ? 2
			: p[0] >= 0xe0 && p[0] <= 0xef ? 3
			: p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						       : 0;
	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and beyond U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

static bool is_control(const unsigned char *p, size_t length)
{
	if (length == 1)
		return (p[0] < 0x20 && p[0] != '\n' && p[0] != '\t') || p[0] == 0x7f;
	return length == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

void escape_add(struct buf *buf, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	while (*p != '\0') {
		size_t length = sequence_length(p);
		if (length > 0 && !is_control(p, length)) {
			buf_add(buf, p, length);
			p += length;
			continue;
		}
		for (size_t i = 0; i < (length > 0 ? length : 1); i++)
			buf_addf(buf, "\\x%02x", *p++);
	}
}

char *escape_text(const char *text)
{
	struct buf buf = BUF_INIT(BUF_OWN_TEXT);
	escape_add(&buf, text);
	return buf_take(&buf);
}
