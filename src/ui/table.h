/* Tables as kubectl prints them: columns at least 6 wide, 3 apart, nothing after the last. */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include "base/buf.h"
#include "base/str.h"

struct table {
	size_t columns;
	struct str_list cells; /* row by row; the first row is the header */
};

#define TABLE_INIT(count) {.columns = (count)}

void table_release(struct table *table);
void table_add(struct table *table, const char *text);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds the table to buf, cells escaped. */
void table_print(const struct table *table, struct buf *buf);

#endif
