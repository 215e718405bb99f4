#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The next character that is not white space, or '\0'. */
static char next_character(const char **text)
{
	*text += strspn(*text, " \t\r\n");
	return **text == '\0' ? '\0' : *(*text)++;
}

/* Reads four characters; returns the count of bytes that they stand for (3, or less with padding),
 * 0 at the end of the text, -1 for a fault. */
static int decode_group(const char **text, uint32_t *ret_bits)
{
	uint32_t bits = 0;
	int padding = 0;
	for (int i = 0; i < 4; i++) {
		char c = next_character(text);
		if (c == '\0')
			return i == 0 ? 0 : -1;
		const char *place = strchr(ALPHABET, c);
		if (c == '=' && i >= 2) {
			padding++;
			bits <<= 6;
		} else if (place != NULL && padding == 0) {
			bits = bits << 6 | (uint32_t)(place - ALPHABET);
		} else {
			return -1;
		}
	}
	/* Bits that no byte uses must be zero, so that there is one text for each value. */
	if ((padding == 1 && (bits & 0xff) != 0) || (padding == 2 && (bits & 0xffff) != 0))
		return -1;
	*ret_bits = bits;
	return 3 - padding;
}

int base64_decode(const char *text, char **ret_bytes, size_t *ret_length, struct err *err)
{
	size_t capacity = strlen(text) / 4 * 3 + 1, length = 0;
	char *bytes = mem_alloc(capacity, 1);
	int count = 3;
	while (count == 3) {
		uint32_t bits = 0;
		count = decode_group(&text, &bits);
		for (int i = 0; i < count; i++)
			bytes[length++] = (char)(bits >> (16 - 8 * i) & 0xff);
	}
	if (count < 0 || next_character(&text) != '\0') {
		explicit_bzero(bytes, capacity);
		free(bytes);
		return err_set(err, ERR_INVALID, "not base64");
	}
	*ret_bytes = bytes;
	*ret_length = length;
	return 0;
}

char *base64_encode(const void *bytes, size_t length)
{
	const unsigned char *from = bytes;
	char *text = mem_alloc((length + 2) / 3 * 4 + 1, 1);
	char *to = text;
	for (size_t i = 0; i < length; i += 3) {
		size_t count = length - i < 3 ? length - i : 3;
		uint32_t bits = (uint32_t)from[i] << 16;
		if (count > 1)
			bits |= (uint32_t)from[i + 1] << 8;
		if (count > 2)
			bits |= from[i + 2];
		*to++ = ALPHABET[bits >> 18];
		*to++ = ALPHABET[bits >> 12 & 63];
		*to++ = count > 1 ? ALPHABET[bits >> 6 & 63] : '=';
		*to++ = count > 2 ? ALPHABET[bits & 63] : '=';
	}
	return text;
}
