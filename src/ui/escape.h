/* Text that somebody else wrote (servers, objects) on its way to a terminal. */
#ifndef UI_ESCAPE_H
#define UI_ESCAPE_H

#include "base/buf.h"

/* Adds the text with control characters (C0 but newline and tab, DEL, C1) and broken UTF-8 as
 * \xNN, so that it cannot move the cursor, change colours or the title. */
void escape_add(struct buf *buf, const char *text);

/* The same as a new string. The caller frees. */
char *escape_text(const char *text);

#endif
