#include "traffic/merge_array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "traffic/merge.h"

#define KEY_MAXIMUM 64

/* --- keys ----------------------------------------------------------------------------------- */

void merge_set_key(json *element, const char *format, ...)
{
	char key[KEY_MAXIMUM];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(key, sizeof(key), format, arguments);
	va_end(arguments);
	json_set_text(element, MERGE_KEY, key);
}

void merge_strip_keys(json *tree)
{
	if (json_is_object(tree))
		json_remove(tree, MERGE_KEY);
	json_for_each (child, tree)
		merge_strip_keys(child);
}

static bool members_are_state(const json *plain, const json *keyed)
{
	size_t count = 0;
	json_for_each (member, keyed) {
		if (str_equal(json_key(member), MERGE_KEY))
			continue;
		if (!merge_is_state(json_get(plain, json_key(member)), member))
			return false;
		count++;
	}
	return count == json_count(plain);
}

bool merge_is_state(const json *plain, const json *keyed)
{
	if (json_is_object(plain) && json_is_object(keyed))
		return members_are_state(plain, keyed);
	if (!json_is_array(plain) || !json_is_array(keyed))
		return json_equal(plain, keyed);
	const json *element = json_first(plain);
	json_for_each (other, keyed) {
		if (element == NULL || !merge_is_state(element, other))
			return false;
		element = json_next(element);
	}
	return element == NULL;
}

bool merge_is_array(const json *object)
{
	return json_get(object, MERGE_ORDER) != NULL;
}

/* --- states --------------------------------------------------------------------------------- */

static void add_element(json *object, const char *key, const json *element)
{
	json_append(json_ensure_array(object, MERGE_ORDER), json_string(key));
	json_set(object, key, json_copy(element));
}

static json *object_of_keyed(const json *array)
{
	json *object = json_object();
	json_for_each (element, array) {
		add_element(object, json_get_text(element, MERGE_KEY), element);
		json_remove(json_get(object, json_get_text(element, MERGE_KEY)), MERGE_KEY);
	}
	return object;
}

json *merge_state_to_objects(const json *state)
{
	if (json_is_array(state) && json_get(json_first(state), MERGE_KEY) != NULL)
		return object_of_keyed(state);
	if (!json_is_object(state))
		return json_copy(state);
	json *object = json_object();
	json_for_each (member, state)
		json_set(object, json_key(member), merge_state_to_objects(member));
	return object;
}

/* --- which element is which ----------------------------------------------------------------- */

/* The array as it is now beside that of a state. */
struct alignment {
	const json **elements; /* of the array as it is now */
	size_t count;
	const json **versions; /* of the state, in its order */
	const char **keys;
	size_t key_count;
	const char **found; /* the key of each element; NULL: inserted */
	size_t *common;	    /* [element * (key_count + 1) + key]: see fill_common */
};

static void alignment_release(struct alignment *alignment)
{
	free(alignment->elements);
	free(alignment->versions);
	free(alignment->keys);
	free(alignment->found);
	free(alignment->common);
}

static void alignment_init(struct alignment *alignment, const json *array, const json *state)
{
	const json *order = json_get(state, MERGE_ORDER);
	size_t elements = json_count(array) + 1, keys = json_count(order) + 1;
	*alignment = (struct alignment){
		.elements = mem_alloc(elements, sizeof(json *)),
		.versions = mem_alloc(keys, sizeof(json *)),
		.keys = mem_alloc(keys, sizeof(char *)),
		.found = mem_alloc(elements, sizeof(char *)),
	};
	json_for_each (element, array)
		alignment->elements[alignment->count++] = element;
	json_for_each (key, order) {
		alignment->versions[alignment->key_count] = json_get(state, json_text(key));
		alignment->keys[alignment->key_count++] = json_text(key);
	}
	alignment->common = mem_alloc(elements * keys, sizeof(size_t));
}

static bool is_equal(const struct alignment *alignment, size_t element, size_t key)
{
	return json_equal(alignment->elements[element], alignment->versions[key]);
}

/* The longest common subsequences of all ends of both. */
static void fill_common(struct alignment *alignment)
{
	size_t width = alignment->key_count + 1, *common = alignment->common;
	for (size_t i = alignment->count; i-- > 0;) {
		for (size_t k = alignment->key_count; k-- > 0;) {
			size_t down = common[(i + 1) * width + k];
			size_t right = common[i * width + k + 1];
			common[i * width + k] = is_equal(alignment, i, k)
							? common[(i + 1) * width + k + 1] + 1
						: down > right ? down
							       : right;
		}
	}
}

/* True where two elements may be one, edited. */
static bool resemble(const json *element, const json *version)
{
	const char *name = json_get_text(element, "name");
	const char *other_name = json_get_text(version, "name");
	if (name != NULL && other_name != NULL)
		return str_equal(name, other_name);
	size_t same = 0;
	json_for_each (member, element)
		same += json_equal(member, json_get(version, json_key(member)));
	return 2 * same >= json_count(element) && 2 * same >= json_count(version);
}

/* Nothing is equal between these elements and these keys. */
struct gap {
	size_t element, element_end;
	size_t key, key_end;
};

static void fill_gap(struct alignment *alignment, struct gap gap)
{
	bool edited = gap.element_end - gap.element == gap.key_end - gap.key;
	size_t key = gap.key;
	for (size_t i = gap.element; i < gap.element_end; i++) {
		size_t found = key;
		while (!edited && found < gap.key_end &&
			!resemble(alignment->elements[i], alignment->versions[found]))
			found++;
		if (found == gap.key_end)
			continue;
		alignment->found[i] = alignment->keys[found];
		key = found + 1;
	}
}

static void find_keys(struct alignment *alignment)
{
	size_t width = alignment->key_count + 1, i = 0, k = 0;
	struct gap gap = {0};
	fill_common(alignment);
	while (i < alignment->count && k < alignment->key_count) {
		if (is_equal(alignment, i, k)) {
			gap.element_end = i;
			gap.key_end = k;
			fill_gap(alignment, gap);
			alignment->found[i++] = alignment->keys[k++];
			gap = (struct gap){.element = i, .key = k};
		} else if (alignment->common[(i + 1) * width + k] >=
			   alignment->common[i * width + k + 1]) {
			i++;
		} else {
			k++;
		}
	}
	gap.element_end = alignment->count;
	gap.key_end = alignment->key_count;
	fill_gap(alignment, gap);
}

/* Gives an element that the state does not have the key of one in another state that it looks like.
 */
static void look_elsewhere(
	struct alignment *alignment, size_t element, const json *state, const json *other)
{
	json_for_each (key, json_get(other, MERGE_ORDER)) {
		bool taken = json_get(state, json_text(key)) != NULL;
		for (size_t i = 0; i < alignment->count && !taken; i++)
			taken = str_equal(alignment->found[i], json_text(key));
		if (taken ||
			!resemble(alignment->elements[element], json_get(other, json_text(key))))
			continue;
		alignment->found[element] = json_text(key);
		return;
	}
}

/* True for an element that is just as another state has one under another key, which this state has
 * otherwise or not at all. */
static bool is_of_another_state(const json *element, const char *key, const json *const *states,
	size_t count, const json *state)
{
	if (json_equal(element, json_get(state, key)))
		return false;
	for (size_t s = 0; s < count; s++) {
		json_for_each (other, json_get(states[s], MERGE_ORDER)) {
			const json *version = json_get(states[s], json_text(other));
			if (!str_equal(json_text(other), key) && json_equal(element, version) &&
				!json_equal(version, json_get(state, json_text(other))))
				return true;
		}
	}
	return false;
}

/* --- the array as it is now ----------------------------------------------------------------- */

static json *object_of_current(const json *array, const json *const *states, size_t count,
	size_t from, bool by_place, size_t *suspects)
{
	CLEANUP(alignment_release) struct alignment alignment;
	alignment_init(&alignment, array, states[from]);
	if (by_place && alignment.count == alignment.key_count)
		fill_gap(&alignment, (struct gap){0, alignment.count, 0, alignment.key_count});
	else
		find_keys(&alignment);
	json *object = json_object();
	json_set(object, MERGE_ORDER, json_array());
	for (size_t i = 0; i < alignment.count; i++) {
		for (size_t s = 0; s < count && alignment.found[i] == NULL; s++)
			look_elsewhere(&alignment, i, states[from], states[s]);
		AUTO_STRING inserted = mem_format(MERGE_KEY "%zu", i);
		const char *key = alignment.found[i] != NULL ? alignment.found[i] : inserted;
		const json *element = alignment.elements[i];
		*suspects += is_of_another_state(element, key, states, count, states[from]);
		add_element(object, key, element);
	}
	return object;
}

size_t merge_current_to_objects(
	json *current, const json *const *states, size_t count, size_t from, bool by_place)
{
	size_t suspects = 0;
	CLEANUP(mem_cleanup) const json **members = mem_alloc(count, sizeof(*members));
	json *next = NULL;
	for (json *member = json_first(current); member != NULL; member = next) {
		next = json_next(member); /* the member may be replaced */
		for (size_t i = 0; i < count; i++)
			members[i] = json_get(states[i], json_key(member));
		if (json_is_object(member))
			suspects +=
				merge_current_to_objects(member, members, count, from, by_place);
		else if (json_is_array(member) && merge_is_array(members[from]))
			json_set(current, json_key(member),
				object_of_current(
					member, members, count, from, by_place, &suspects));
	}
	return suspects;
}

/* --- back to arrays ------------------------------------------------------------------------- */

static bool was_inserted(const char *key)
{
	return str_starts(key, MERGE_KEY);
}

/* Appends what was inserted behind the element with this key (NULL: in front of all), or behind
 * others there that have no place in the goal. */
static void append_inserted(json *array, json *object, const char *behind, const json *goal)
{
	const char *anchor = NULL;
	json_for_each (key, json_get(object, MERGE_ORDER)) {
		const char *text = json_text(key);
		if (was_inserted(text) && str_equal(anchor, behind))
			json_append(array, json_detach(object, text));
		else if (!was_inserted(text) && json_get(goal, text) != NULL &&
			 json_get(object, text) != NULL)
			anchor = text;
	}
}

static json *array_of(json *object, const json *goal)
{
	json *array = json_array();
	append_inserted(array, object, NULL, goal);
	json_for_each (key, json_get(goal, MERGE_ORDER)) {
		const char *text = json_text(key);
		if (json_get(object, text) == NULL)
			continue;
		json_append(array, json_copy(json_get(object, text)));
		append_inserted(array, object, text, goal);
	}
	return array;
}

void merge_objects_to_arrays(json *current, const json *goal)
{
	json *next = NULL;
	for (json *member = json_first(current); member != NULL; member = next) {
		next = json_next(member);
		const json *wanted = json_get(goal, json_key(member));
		if (merge_is_array(member))
			json_set(current, json_key(member), array_of(member, wanted));
		else if (json_is_object(member))
			merge_objects_to_arrays(member, wanted);
	}
}
