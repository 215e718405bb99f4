#include "traffic/merge.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

/* One field, as a chain of steps from the root that lives on the stack of the walk. */
struct field {
	const struct field *parent; /* NULL at the root */
	json *container;	    /* the object or array in `current`; NULL at the root */
	const char *key;	    /* in an object */
	size_t index;		    /* in an array */
};

struct merge {
	size_t count; /* of states: the goal is the first, the known ones follow */
	bool edit;    /* false: only look for conflicts */
	struct err *err;
};

static int walk(const struct merge *merge, const struct field *field, json *current,
	const json *const *states);

/* --- saying what is wrong ------------------------------------------------------------------- */

/* Bytes of a value that are shown; routes of a usual size fit. */
#define SHOWN_BYTES 200
#define SHOWN_VALUES 3

static void add_path(struct buf *path, const struct field *field)
{
	if (field == NULL || field->container == NULL)
		return;
	add_path(path, field->parent);
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

static void add_expected(struct buf *text, const struct merge *merge, const json *const *states)
{
	size_t shown = 0;
	for (size_t i = 0; i < merge->count; i++) {
		bool repeated = false;
		for (size_t j = 0; j < i && !repeated; j++)
			repeated = json_equal(states[i], states[j]);
		if (repeated)
			continue;
		if (shown == SHOWN_VALUES) {
			buf_add_text(text, " or another one of this release");
			return;
		}
		buf_add_text(text, shown++ > 0 ? " or " : "");
		add_value(text, states[i]);
	}
}

/* One changed field in a list is easier to see than two long lists. The states are tried one after
 * another: that which differs in a single spot is what the other person started from. */
static bool add_single_difference(
	struct buf *text, const struct merge *merge, const json *current, const json *const *states)
{
	for (size_t i = 0; i < merge->count; i++) {
		struct difference difference = {current, states[i], BUF_INIT(BUF_OWN_TEXT)};
		while (narrow(&difference))
			;
		bool narrowed = difference.path.length > 0;
		if (narrowed) {
			buf_addf(text, "%s is ", buf_text(&difference.path));
			add_value(text, difference.found);
			buf_add_text(text, ", expected ");
			add_value(text, difference.expected);
		}
		buf_release(&difference.path);
		if (narrowed)
			return true;
	}
	return false;
}

static int refuse(const struct merge *merge, const struct field *field, const json *current,
	const json *const *states)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	add_path(&text, field);
	if (!add_single_difference(&text, merge, current, states)) {
		buf_add_text(&text, " is ");
		add_value(&text, current);
		buf_add_text(&text, ", expected ");
		add_expected(&text, merge, states);
	}
	return err_set(merge->err, ERR_FOREIGN,
		"%s: somebody else changed a field that this release manages", buf_text(&text));
}

/* --- the walk ------------------------------------------------------------------------------- */

static void put(const struct field *field, const json *value)
{
	if (field->key != NULL)
		json_set(field->container, field->key, json_copy(value));
	else
		json_replace_at(field->container, field->index, json_copy(value));
}

static bool all_agree(const struct merge *merge, const json *const *states)
{
	for (size_t i = 1; i < merge->count; i++) {
		if (!json_equal(states[0], states[i]))
			return false;
	}
	return true;
}

static int settle_value(const struct merge *merge, const struct field *field, const json *current,
	const json *const *states)
{
	if (json_equal(current, states[0]) || all_agree(merge, states))
		return 0;
	for (size_t i = 1; i < merge->count; i++) {
		if (!json_equal(current, states[i]))
			continue;
		if (merge->edit)
			put(field, states[0]);
		return 0;
	}
	return refuse(merge, field, current, states);
}

static bool all_objects(const struct merge *merge, const json *current, const json *const *states)
{
	bool all = json_is_object(current);
	for (size_t i = 0; i < merge->count && all; i++)
		all = json_is_object(states[i]);
	return all;
}

static bool all_equal_arrays(
	const struct merge *merge, const json *current, const json *const *states)
{
	bool all = json_is_array(current);
	for (size_t i = 0; i < merge->count && all; i++)
		all = json_is_array(states[i]) && json_count(states[i]) == json_count(current);
	return all;
}

/* Every key that current or any state has, once. They are copied, because the walk replaces
 * members of current. */
static void collect_keys(const struct merge *merge, const json *current, const json *const *states,
	struct str_list *ret)
{
	json_for_each (member, current)
		str_list_add(ret, json_key(member));
	for (size_t i = 0; i < merge->count; i++) {
		json_for_each (member, states[i]) {
			bool listed = json_get(current, json_key(member)) != NULL;
			for (size_t j = 0; j < i && !listed; j++)
				listed = json_get(states[j], json_key(member)) != NULL;
			if (!listed)
				str_list_add(ret, json_key(member));
		}
	}
}

static int walk_members(const struct merge *merge, const struct field *field, json *current,
	const json *const *states)
{
	CLEANUP(str_list_release) struct str_list keys = {0};
	collect_keys(merge, current, states, &keys);
	CLEANUP(mem_cleanup) const json **members = mem_alloc(merge->count, sizeof(*members));
	for (size_t k = 0; k < keys.count; k++) {
		struct field member = {field, current, keys.items[k], 0};
		for (size_t i = 0; i < merge->count; i++)
			members[i] = json_get(states[i], keys.items[k]);
		int result = walk(merge, &member, json_get(current, keys.items[k]), members);
		if (result < 0)
			return result;
	}
	return 0;
}

static int walk_elements(const struct merge *merge, const struct field *field, json *current,
	const json *const *states)
{
	CLEANUP(mem_cleanup) const json **elements = mem_alloc(merge->count, sizeof(*elements));
	for (size_t i = 0; i < merge->count; i++)
		elements[i] = json_first(states[i]);
	struct field place = {field, current, NULL, 0};
	json *next = NULL;
	for (json *element = json_first(current); element != NULL; element = next) {
		next = json_next(element); /* the walk may replace the element */
		int result = walk(merge, &place, element, elements);
		if (result < 0)
			return result;
		for (size_t i = 0; i < merge->count; i++)
			elements[i] = json_next(elements[i]);
		place.index++;
	}
	return 0;
}

static int walk(const struct merge *merge, const struct field *field, json *current,
	const json *const *states)
{
	if (all_objects(merge, current, states))
		return walk_members(merge, field, current, states);
	if (all_equal_arrays(merge, current, states))
		return walk_elements(merge, field, current, states);
	return settle_value(merge, field, current, states);
}

int merge_to_goal(json *current, const json *goal, const json *const *known, size_t known_count,
	struct err *err)
{
	struct merge merge = {.count = known_count + 1, .edit = false, .err = err};
	CLEANUP(mem_cleanup) const json **states = mem_alloc(merge.count, sizeof(*states));
	states[0] = goal;
	for (size_t i = 0; i < known_count; i++)
		states[i + 1] = known[i];
	if (!all_objects(&merge, current, states))
		return err_set(err, ERR_FAILED, "only objects can be merged");

	struct field root = {NULL, NULL, NULL, 0};
	int result = walk(&merge, &root, current, states);
	if (result < 0)
		return result;
	merge.edit = true;
	return walk(&merge, &root, current, states);
}
