#include "ui/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/escape.h"

#define MINIMUM_WIDTH 6
#define PADDING 3

void table_release(struct table *table)
{
	str_list_release(&table->cells);
}

void table_add(struct table *table, const char *text)
{
	AUTO_STRING escaped = escape_text(text);
	str_list_add(&table->cells, escaped);
}

void table_addf(struct table *table, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	table_add(table, text);
}

/* Characters, not bytes; what tables hold has no wide or combining ones. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = MINIMUM_WIDTH;
	for (size_t i = column; i < table->cells.count; i += table->columns) {
		size_t needed = width_of(table->cells.items[i]) + PADDING;
		width = needed > width ? needed : width;
	}
	return width;
}

void table_print(const struct table *table, struct buf *buf)
{
	CLEANUP(mem_cleanup) size_t *widths = mem_alloc(table->columns, sizeof(size_t));
	for (size_t column = 0; column < table->columns; column++)
		widths[column] = column_width(table, column);
	for (size_t i = 0, column = 0; i < table->cells.count; i++) {
		const char *cell = table->cells.items[i];
		bool last = column + 1 == table->columns;
		size_t pad = last ? 0 : widths[column] - width_of(cell);
		buf_addf(buf, "%s%*s%s", cell, (int)pad, "", last ? "\n" : "");
		column = last ? 0 : column + 1;
	}
}
