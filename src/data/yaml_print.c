/* Trees to YAML text, with libyaml's emitter. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/str.h"
#include "data/yaml.h"
#include "data/yaml_scalar.h"

static void must(int done)
{
	/* The emitter fails when memory ends, or for a sequence of events that is wrong. */
	if (!done) {
		(void)fputs("libyaml: cannot write\n", stderr);
		abort();
	}
}

/* The length of the UTF-8 sequence at text, or 0 where there is none (RFC 3629). */
static size_t sequence_length(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t minimum;
	} FORMS[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	for (size_t more = 0; more < COUNT_OF(FORMS); more++) {
		if ((text[0] & FORMS[more].mask) != FORMS[more].lead)
			continue;
		uint32_t c = text[0] & (unsigned char)~FORMS[more].mask;
		for (size_t i = 1; i <= more; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (text[i] & 0x3f);
		}
		bool valid =
			c >= FORMS[more].minimum && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		return valid ? more + 1 : 0;
	}
	return 0;
}

/* The text with U+FFFD for every byte that is not UTF-8, which the emitter would refuse. */
static void add_utf8(struct buf *clean, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	while (*p != '\0') {
		size_t length = sequence_length(p);
		if (length > 0)
			buf_add(clean, p, length);
		else
			buf_add_text(clean, "\xef\xbf\xbd");
		p += length > 0 ? length : 1;
	}
}

static void emit_plain(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
	/* libyaml takes the text as not constant, and copies it. */
	yaml_char_t *value = (yaml_char_t *)(uintptr_t)text;
	yaml_event_t event;
	must(yaml_scalar_event_initialize(
		&event, NULL, NULL, value, (int)strlen(text), 1, 1, style));
	must(yaml_emitter_emit(emitter, &event));
}

static void emit_string(yaml_emitter_t *emitter, const char *text)
{
	AUTO_BUF clean = BUF_INIT(SIZE_MAX / 2);
	add_utf8(&clean, text);
	const char *value = buf_text(&clean);
	/* The emitter itself falls back to quotes where a style cannot hold the text. */
	yaml_scalar_style_t style = strchr(value, '\n') != NULL ? YAML_LITERAL_SCALAR_STYLE
				    : yaml_scalar_needs_quotes(value)
					    ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
					    : YAML_PLAIN_SCALAR_STYLE;
	emit_plain(emitter, value, style);
}

/* Numbers, truth values and null are written as in JSON; but an integer of more than 2^53 with an
 * exponent: yaml_parse refuses one that is written out, since a double may not hold it exactly. */
static void emit_other(yaml_emitter_t *emitter, const json *node)
{
	AUTO_STRING text = node != NULL ? json_print(node) : mem_strdup("null");
	struct yaml_scalar scalar = yaml_scalar_resolve(text);
	if (scalar.type != YAML_TOO_LARGE) {
		emit_plain(emitter, text, YAML_PLAIN_SCALAR_STYLE);
		return;
	}
	AUTO_STRING with_exponent = mem_format("%.16e", json_double(node, 0));
	emit_plain(emitter, with_exponent, YAML_PLAIN_SCALAR_STYLE);
}

static void emit(yaml_emitter_t *emitter, const json *node)
{
	yaml_event_t event;
	if (json_is_string(node)) {
		emit_string(emitter, json_text(node));
	} else if (json_is_object(node)) {
		must(yaml_mapping_start_event_initialize(
			&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
		must(yaml_emitter_emit(emitter, &event));
		json_for_each (member, node) {
			emit_string(emitter, json_key(member));
			emit(emitter, member);
		}
		must(yaml_mapping_end_event_initialize(&event));
		must(yaml_emitter_emit(emitter, &event));
	} else if (json_is_array(node)) {
		must(yaml_sequence_start_event_initialize(
			&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
		must(yaml_emitter_emit(emitter, &event));
		json_for_each (element, node)
			emit(emitter, element);
		must(yaml_sequence_end_event_initialize(&event));
		must(yaml_emitter_emit(emitter, &event));
	} else {
		emit_other(emitter, node);
	}
}

static int write_bytes(void *data, unsigned char *bytes, size_t length)
{
	buf_add(data, bytes, length);
	return 1;
}

char *yaml_print(const json *node)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	yaml_emitter_t emitter;
	yaml_event_t event;
	must(yaml_emitter_initialize(&emitter));
	yaml_emitter_set_output(&emitter, write_bytes, &text);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	must(yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	must(yaml_emitter_emit(&emitter, &event));
	must(yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	must(yaml_emitter_emit(&emitter, &event));
	emit(&emitter, node);
	must(yaml_document_end_event_initialize(&event, 1));
	must(yaml_emitter_emit(&emitter, &event));
	must(yaml_stream_end_event_initialize(&event));
	must(yaml_emitter_emit(&emitter, &event));
	yaml_emitter_delete(&emitter);
	/* libyaml marks the end of a document whose last text keeps its line breaks; kubectl's
	 * emitter does not. */
	static const char END_MARK[] = "\n...\n";
	if (str_ends(buf_text(&text), END_MARK))
		text.text[text.length - strlen(END_MARK) + 1] = '\0';
	return buf_take(&text);
}
