/* UTF-8 (RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes of the character that the text begins with, and the character; 0 where these
 * bytes are none: broken or overlong sequences, surrogates, beyond U+10FFFF. ret may be NULL. */
size_t utf8_decode(const char *text, uint32_t *ret);

bool utf8_valid(const char *text);

/* How many characters the first length bytes of a valid text are. */
size_t utf8_count(const char *text, size_t length);

#endif
