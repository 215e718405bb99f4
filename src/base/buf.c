#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void buf_release(struct buf *buf)
{
	if (buf == NULL)
		return;
	free(buf->text);
	*buf = (struct buf)BUF_INIT(buf->maximum);
}

void buf_clear(struct buf *buf)
{
	buf->length = 0;
	buf->overflow = false;
	if (buf->text != NULL)
		buf->text[0] = '\0';
}

/* Makes room for `more` bytes and the final NUL; false where that would pass the maximum. */
static bool buf_reserve(struct buf *buf, size_t more)
{
	if (buf->overflow || more > buf->maximum - buf->length) {
		buf->overflow = true;
		return false;
	}
	size_t needed = buf->length + more + 1;
	if (needed > buf->capacity) {
		size_t capacity = buf->capacity < 64 ? 64 : buf->capacity * 2;
		if (capacity < needed)
			capacity = needed;
		buf->text = mem_grow(buf->text, capacity, 1);
		buf->capacity = capacity;
	}
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t length)
{
	if (!buf_reserve(buf, length))
		return;
	if (length > 0)
		memcpy(buf->text + buf->length, bytes, length);
	buf->length += length;
	buf->text[buf->length] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	if (length >= 0 && buf_reserve(buf, (size_t)length)) {
		(void)vsnprintf(buf->text + buf->length, (size_t)length + 1, format, again);
		buf->length += (size_t)length;
	}
	va_end(again);
	va_end(arguments);
}

void buf_add_line(struct buf *buf, const char *text)
{
	if (buf->length > 0)
		buf_add_char(buf, '\n');
	buf_add_text(buf, text);
}

void buf_remove_front(struct buf *buf, size_t length)
{
	if (length > buf->length)
		length = buf->length;
	if (length == 0)
		return;
	memmove(buf->text, buf->text + length, buf->length - length + 1);
	buf->length -= length;
}

const char *buf_text(const struct buf *buf)
{
	return buf->text != NULL ? buf->text : "";
}

char *buf_take(struct buf *buf)
{
	char *text = buf->text != NULL ? buf->text : mem_strdup("");
	*buf = (struct buf)BUF_INIT(buf->maximum);
	return text;
}
