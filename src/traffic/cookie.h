/*
 * Regular expressions for the header `cookie` (RFC 6265, 4.2): "a=b; user=tester; c=d". Browsers
 * put a space behind each semicolon, others do not. Several headers are one to Envoy, joined so.
 */
#ifndef TRAFFIC_COOKIE_H
#define TRAFFIC_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The expression for all of the header in which a cookie `name` has a value that all of
 * value_pattern (RE2, unable to match a semicolon) matches: at the start, between others, at the
 * end; and no other cookie. The caller frees. */
char *cookie_pattern(const char *name, const char *value_pattern);

/* The same for several cookies that must all be there; `pairs` are results of cookie_pair. Refuses
 * more than COOKIES_MAXIMUM: there is an alternative for each order. The caller frees. */
#define COOKIES_MAXIMUM 3
char *cookies_pattern(char *const *pairs, size_t count);

/* "user=tester" as an expression: the name quoted, the value's pattern as it is. */
char *cookie_pair(const char *name, const char *value_pattern);

/* A user's expression for a value, changed so that it cannot run into the next cookie: what would
 * match any character matches any but a semicolon. ERR_USAGE, with the place, where it is not RE2,
 * or names a semicolon or the ends of the text, of which a value has none. The caller frees ret. */
int cookie_value_pattern(const char *pattern, char **ret, struct err *err);

#endif
