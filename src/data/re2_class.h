/*
 * The characters of an RE2 pattern: written plainly, escaped, and as members of a class. What is
 * read is what Go's regexp and RE2 read alike.
 */
#ifndef DATA_RE2_CLASS_H
#define DATA_RE2_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A place in a pattern, a string of the caller's. */
struct re2_cursor {
	const char *pattern;
	size_t at; /* bytes */
	struct err *err;
};

/* Sets ERR_USAGE: the pattern, what is wrong with its bytes from start to end (such as
 * "back-reference"), and a verdict on it (such as " is not RE2"). */
int re2_refuse(const struct re2_cursor *cursor, size_t start, size_t end, const char *what,
	const char *verdict);
#define NOT_RE2 " is not RE2"

/* A set of ASCII characters with a name. */
struct re2_group {
	const char *name;
	uint8_t count;
	uint8_t ranges[4][2]; /* first and last, ascending */
};

/* A member of a class: a range of characters, or a group, or those with a property. */
struct re2_item {
	uint32_t low, high;
	const struct re2_group *group;
	const char *property; /* of Unicode, as PCRE2 names it */
	bool negated;	      /* all but the group, or those with the property */
};

/* These read what stands at the cursor, and move it behind. */
int re2_read_character(struct re2_cursor *cursor, uint32_t *ret);
int re2_read_escape(struct re2_cursor *cursor, uint32_t *ret); /* \n, \x41, \101, \., … */
/* \d \pN and the like. 1, or 0 where none stands there. */
int re2_read_set(struct re2_cursor *cursor, bool caseless, struct re2_item *ret);
/* The next member of a class, behind its "[" or "[^". */
int re2_read_item(struct re2_cursor *cursor, bool caseless, struct re2_item *ret);

/* The rough number of instructions that RE2 compiles it to; never too few. */
unsigned re2_item_size(const struct re2_item *item, bool caseless);

#endif
