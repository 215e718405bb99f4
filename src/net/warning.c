#include "net/warning.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* Kubernetes uses "miscellaneous persistent warning" alone. */
static const char PERSISTENT[] = "299";

struct cursor {
	const char *at, *end;
};

static void skip_spaces(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

/* A word up to the next space; false where there is none, or no space after it. */
static bool read_word(struct cursor *c, struct cursor *ret_word)
{
	skip_spaces(c);
	ret_word->at = c->at;
	while (c->at < c->end && *c->at != ' ' && *c->at != '"' && *c->at != ',')
		c->at++;
	ret_word->end = c->at;
	return ret_word->at < ret_word->end && c->at < c->end && *c->at == ' ';
}

static bool read_quoted(struct cursor *c, struct buf *ret)
{
	skip_spaces(c);
	if (c->at == c->end || *c->at != '"')
		return false;
	for (c->at++; c->at < c->end; c->at++) {
		if (*c->at == '"') {
			c->at++;
			return true;
		}
		if (*c->at == '\\' && c->at + 1 < c->end)
			c->at++;
		/* One warning is one line, whatever a server puts into it. */
		buf_add_char(ret, iscntrl((unsigned char)*c->at) ? ' ' : *c->at);
	}
	return false;
}

void warning_parse(const char *value, size_t length, struct buf *ret)
{
	struct cursor c = {value, value + length};
	for (;;) {
		struct cursor code, agent, date;
		AUTO_BUF text = BUF_INIT(length);
		if (!read_word(&c, &code) || !read_word(&c, &agent) || !read_quoted(&c, &text))
			return;
		if ((size_t)(code.end - code.at) == strlen(PERSISTENT) &&
			memcmp(code.at, PERSISTENT, strlen(PERSISTENT)) == 0 && text.length > 0) {
			buf_add(ret, text.text, text.length);
			buf_add_char(ret, '\n');
		}
		AUTO_BUF ignored = BUF_INIT(length);
		date = c;
		if (read_quoted(&date, &ignored))
			c = date;
		skip_spaces(&c);
		if (c.at == c.end || *c.at != ',')
			return;
		c.at++;
	}
}
