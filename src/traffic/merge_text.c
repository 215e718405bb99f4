#include "traffic/merge_text.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "traffic/merge_array.h"

/* Bytes of a value that are shown; routes of a usual size fit. */
#define SHOWN_BYTES 200

/* The place of an element in the array as the user has it. */
static size_t index_of(const json *object, const char *key)
{
	size_t index = 0;
	json_for_each (other, json_get(object, MERGE_ORDER)) {
		if (str_equal(json_text(other), key))
			break;
		index++;
	}
	return index;
}

static void add_path(struct buf *path, const struct merge_field *field)
{
	if (field == NULL || field->container == NULL)
		return;
	add_path(path, field->parent);
	if (merge_is_array(field->container)) {
		buf_addf(path, "[%zu]", index_of(field->container, field->key));
		return;
	}
	if (field->key == NULL)
		buf_addf(path, "[%zu]", field->index);
	else if (strchr(field->key, '.') != NULL)
		buf_addf(path, "[%s]", field->key);
	else
		buf_addf(path, "%s%s", path->length > 0 ? "." : "", field->key);
}

static void add_value(struct buf *text, const json *value)
{
	AUTO_STRING printed = value != NULL ? json_print(value) : mem_strdup("absent");
	size_t length = strlen(printed);
	if (length <= SHOWN_BYTES) {
		buf_add_text(text, printed);
		return;
	}
	length = SHOWN_BYTES;
	while (length > 0 && ((unsigned char)printed[length] & 0xC0) == 0x80)
		length--; /* not within a UTF-8 character */
	buf_add(text, printed, length);
	buf_add_text(text, "…");
}

/* A pair of values that differ, and the way to them from the field in question. */
struct difference {
	const json *found;
	const json *expected;
	struct buf path;
};

/* Goes one step down if exactly one member differs. */
static bool narrow_object(struct difference *difference)
{
	const json *found = difference->found, *expected = difference->expected;
	const char *differing = NULL;
	size_t differences = 0;
	json_for_each (member, found) {
		if (!json_equal(member, json_get(expected, json_key(member)))) {
			differing = json_key(member);
			differences++;
		}
	}
	json_for_each (member, expected) {
		if (json_get(found, json_key(member)) == NULL) {
			differing = json_key(member);
			differences++;
		}
	}
	if (differences != 1)
		return false;
	buf_addf(&difference->path, ".%s", differing);
	difference->found = json_get(found, differing);
	difference->expected = json_get(expected, differing);
	return true;
}

static bool narrow_array(struct difference *difference)
{
	const json *found = difference->found, *expected = difference->expected;
	size_t index = 0, differing = 0, differences = 0;
	const json *other = json_first(expected);
	json_for_each (element, found) {
		if (!json_equal(element, other)) {
			differing = index;
			differences++;
		}
		other = json_next(other);
		index++;
	}
	if (differences != 1)
		return false;
	buf_addf(&difference->path, "[%zu]", differing);
	difference->found = json_at(found, differing);
	difference->expected = json_at(expected, differing);
	return true;
}

static bool narrow(struct difference *difference)
{
	const json *found = difference->found, *expected = difference->expected;
	if (json_is_object(found) && json_is_object(expected))
		return narrow_object(difference);
	if (json_is_array(found) && json_is_array(expected) &&
		json_count(found) == json_count(expected))
		return narrow_array(difference);
	return false;
}

static void add_difference(struct buf *text, const json *current, const json *expected)
{
	struct difference difference = {current, expected, BUF_INIT(BUF_OWN_TEXT)};
	while (narrow(&difference))
		;
	buf_addf(text, "%s is ", buf_text(&difference.path));
	add_value(text, difference.found);
	buf_add_text(text, ", expected ");
	add_value(text, difference.expected);
	buf_release(&difference.path);
}

int merge_refuse(
	const struct merge_field *field, const json *current, const json *expected, struct err *err)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	bool element = field->container != NULL && merge_is_array(field->container);
	if (element && current == NULL) {
		add_path(&text, field->parent);
		buf_add_text(&text, " is without ");
		add_value(&text, expected);
	} else {
		add_path(&text, field);
		add_difference(&text, current, expected);
	}
	return err_set(err, ERR_FOREIGN,
		"%s: somebody else changed a field that this release manages", buf_text(&text));
}

/* --- how much differs ----------------------------------------------------------------------- */

static size_t members_that_differ(const json *a, const json *b)
{
	size_t differences = 0;
	json_for_each (member, a)
		differences += merge_differences(member, json_get(b, json_key(member)));
	json_for_each (member, b) {
		if (json_get(a, json_key(member)) == NULL)
			differences += merge_differences(NULL, member);
	}
	return differences;
}

static size_t elements_that_differ(const json *a, const json *b)
{
	size_t differences = 0;
	const json *other = json_first(b);
	json_for_each (element, a) {
		differences += merge_differences(element, other);
		if (other != NULL)
			other = json_next(other);
	}
	for (; other != NULL; other = json_next(other))
		differences += merge_differences(NULL, other);
	return differences;
}

size_t merge_differences(const json *a, const json *b)
{
	if (json_equal(a, b))
		return 0;
	bool objects = json_is_object(a) || json_is_object(b);
	bool arrays = json_is_array(a) || json_is_array(b);
	size_t below = objects && !arrays   ? members_that_differ(a, b)
		       : arrays && !objects ? elements_that_differ(a, b)
					    : 0;
	return below > 0 ? below : 1;
}
