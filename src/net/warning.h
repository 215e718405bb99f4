/* The Warning header of HTTP, by which API servers announce deprecations. */
#ifndef NET_WARNING_H
#define NET_WARNING_H

#include <stddef.h>

#include "base/buf.h"

/* Adds the text of every warning with code 299 in a header's value (RFC 7234, 5.5) to ret, each
 * with a newline. Reading stops at what is malformed: a warning is no reason to fail. */
void warning_parse(const char *value, size_t length, struct buf *ret);

#endif
