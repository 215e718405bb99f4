/*
 * A growing string of bytes with a declared maximum. `text` is always NUL-terminated once anything
 * was added (it may hold NULs of its own: `length` counts), and NULL in an empty buffer: use
 * buf_text() where a string is wanted in any case.
 *
 * A buffer that would pass its maximum keeps what it has and sets `overflow`, so that a writer can
 * add piece by piece and check once.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *text;
	size_t length;
	size_t capacity;
	size_t maximum; /* bytes, without the final NUL */
	bool overflow;
};

/* The maximum for text that this program itself makes. */
#define BUF_OWN_TEXT ((size_t)16 << 20)

#define BUF_INIT(max) {.maximum = (max)}

void buf_release(struct buf *buf); /* NULL-safe; the buffer is empty and usable afterwards */
void buf_clear(struct buf *buf);   /* empties, keeps the memory */

void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* On a line of its own: the text, behind a newline where there is something already. */
void buf_add_line(struct buf *buf, const char *text);
void buf_remove_front(struct buf *buf, size_t length);

const char *buf_text(const struct buf *buf); /* "" when empty; valid until the next change */
char *buf_take(struct buf *buf);	     /* the string, now the caller's; the buffer is empty */

#define AUTO_BUF CLEANUP(buf_release) struct buf

#endif
