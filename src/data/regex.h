/*
 * Regular expressions as Envoy matches them: RE2's syntax, the whole text, UTF-8.
 * https://github.com/google/re2/wiki/Syntax
 *
 * A pattern that istiod or Envoy refuses must not get into a VirtualService: istiod (Go's regexp)
 * refuses the object, Envoy (RE2) all of its routes. So what is taken here is what both take.
 */
#ifndef DATA_REGEX_H
#define DATA_REGEX_H

#include "base/err.h"
#include "base/mem.h"

struct regex;

/* Checks the pattern and compiles it. ERR_USAGE with what is wrong, at which character (counted
 * from 1), and the pattern from there on; one line. ret is the caller's: regex_free. */
int regex_compile(const char *pattern, struct regex **ret, struct err *err);

/* 1 where the whole text matches, 0 where it does not (as a text that is not UTF-8), ERR_FAILED
 * where finding out would take too long. */
int regex_matches(const struct regex *regex, const char *text);

void regex_free(struct regex *regex); /* NULL-safe */
void regex_cleanup(struct regex **regex);
#define AUTO_REGEX CLEANUP(regex_cleanup) struct regex *

/* A pattern that matches this text and no other. The caller frees. */
char *regex_quote(const char *text);

#endif
