/* Whole files, within a limit. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Reads a file into ret (initialised by this call), "-" being standard input. ERR_FAILED when it
 * cannot be read or is longer than maximum. */
int file_read(const char *path, size_t maximum, struct buf *ret, struct err *err);

#endif
