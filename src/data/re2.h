/*
 * Reads a regular expression token by token, and refuses what is not RE2. It must pass both Go's
 * regexp (in istiod) and RE2 (in Envoy), so what is taken is what both take, with one meaning.
 * https://github.com/google/re2/wiki/Syntax, https://pkg.go.dev/regexp/syntax
 *
 * Refused beyond that, because PCRE2 behind regex.h could not be made to agree: a repetition right
 * behind flags "(?i)" or "\Q\E", where RE2 repeats what stands before those; \p{...} under (?i),
 * and the few properties that not all versions of Go, RE2 and PCRE2 know alike.
 */
#ifndef DATA_RE2_H
#define DATA_RE2_H

#include "data/re2_class.h"

/* What istiod takes; with it, nothing here can grow large. */
#define RE2_MAXIMUM_BYTES 1024
/* Proxies refuse patterns that compile to more (istiod sets re2.max_program_size.error_level). */
#define RE2_MAXIMUM_INSTRUCTIONS 32768
#define RE2_MAXIMUM_DEPTH 200 /* groups in groups; PCRE2 takes 250 */

enum re2_kind {
	RE2_CHARACTER,
	RE2_ANY,    /* . */
	RE2_CLASS,  /* [a-z] */
	RE2_SET,    /* \d \pN */
	RE2_EDGE,   /* ^ $ \A \z \b \B */
	RE2_OPEN,   /* of any kind of group */
	RE2_CLOSE,  /* ) */
	RE2_BAR,    /* | */
	RE2_FLAGS,  /* (?i) */
	RE2_REPEAT, /* * + ? {2,3}, with the ? of the lazy ones */
};

struct re2_flags {
	bool caseless;	/* i */
	bool multiline; /* m: ^ and $ are at lines, too */
	bool dot_all;	/* s: . is a newline, too */
};

struct re2_token {
	enum re2_kind kind;
	size_t start, end;	/* bytes of the pattern */
	struct re2_flags flags; /* in force; of RE2_OPEN and RE2_FLAGS, from there on */
	uint32_t character;	/* of RE2_CHARACTER */
	char edge;		/* of RE2_EDGE: A and z for the text, ^ and $ for a line, b, B */
	struct re2_item set;	/* of RE2_SET */
	int minimum, maximum;	/* of RE2_REPEAT; maximum -1 is none */
};

/* A group that is open, and what it holds so far. */
struct re2_frame {
	size_t start;		/* where it was opened */
	struct re2_flags flags; /* in force outside */
	uint64_t size;		/* instructions */
	uint64_t last_size;	/* those of the last thing in it */
	int repeats;		/* the largest product of counts of nested repetitions */
	int last_repeats;
	enum { RE2_NOTHING, RE2_REPEATABLE, RE2_REPEATED } last;
	size_t last_repeat; /* where that repetition begins */
};

struct re2 {
	struct re2_cursor cursor;
	struct re2_flags flags;
	bool quoting; /* between \Q and \E */
	size_t depth;
	struct re2_frame frames[RE2_MAXIMUM_DEPTH + 1]; /* the first is the whole pattern */
};

/* The pattern stays the caller's and must live as long. */
void re2_init(struct re2 *scanner, const char *pattern, struct err *err);

/* The next token. 1; 0 at the end; ERR_USAGE where the pattern is not RE2. */
int re2_next(struct re2 *scanner, struct re2_token *ret);

/* The instructions of what was read so far. */
uint64_t re2_size(const struct re2 *scanner);

#endif
