#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *memory)
{
	if (memory == NULL) {
		(void)fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *mem_alloc(size_t count, size_t size)
{
	return or_abort(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_grow(void *memory, size_t count, size_t size)
{
	return or_abort(reallocarray(memory, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *mem_strdup(const char *text)
{
	return text == NULL ? NULL : or_abort(strdup(text));
}

char *mem_strndup(const char *text, size_t length)
{
	return or_abort(strndup(text, length));
}

char *mem_format(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return or_abort(length < 0 ? NULL : text);
}

void mem_cleanup(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}
