/*
 * Memory: allocations that end the process when there is none left, and the automatic clean-up of
 * locals. What the network or a file sizes is limited by its reader before it gets here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for count elements of size bytes; never NULL. The caller frees. */
void *mem_alloc(size_t count, size_t size);

/* realloc for arrays, with the multiplication checked; never NULL. New elements are not zeroed. */
void *mem_grow(void *memory, size_t count, size_t size);

/* Copies of strings; never NULL, except that mem_strdup(NULL) is NULL. The caller frees. */
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* free() for `CLEANUP(mem_cleanup) char *name`. */
void mem_cleanup(void *pointer_to_pointer);

/* Runs the function with the address of the variable when it goes out of scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* A string that is freed at the end of its scope. */
#define AUTO_STRING CLEANUP(mem_cleanup) char *

/* Takes a pointer out of an automatic local, to hand it on. */
#define TAKE(pointer)                                                                              \
	__extension__({                                                                            \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
