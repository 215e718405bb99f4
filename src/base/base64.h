/* Base64 of RFC 4648, section 4: the standard alphabet, padded. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/err.h"

/* Decodes; line breaks and blanks between the characters are skipped. ret_bytes is the caller's,
 * with a NUL behind it that ret_length does not count. ERR_INVALID for anything else. */
int base64_decode(const char *text, char **ret_bytes, size_t *ret_length, struct err *err);

/* Encodes, without line breaks. The caller frees. */
char *base64_encode(const void *bytes, size_t length);

#endif
