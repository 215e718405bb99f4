/* Label selectors in text form, as the API server reads them: a=b, a!=b, a in (b,c), a, !a. */
#include "sim/query.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/str.h"

static bool is_one_of(const char *values, size_t length, const char *value)
{
	AUTO_STRING text = mem_strndup(values, length);
	struct str_list list CLEANUP(str_list_release) = {0};
	str_split(text, ',', &list);
	return value != NULL && str_list_has(&list, value);
}

/* One requirement. */
static bool requirement_holds(const char *text, const json *labels)
{
	if (text[0] == '!')
		return json_get(labels, text + 1) == NULL;
	size_t key_length = strcspn(text, "=! ");
	AUTO_STRING key = mem_strndup(text, key_length);
	const char *value = json_get_text(labels, key);
	const char *rest = text + key_length;
	if (rest[0] == '\0')
		return value != NULL;
	if (str_starts(rest, "="))
		return str_equal(value, rest + (str_starts(rest, "==") ? 2 : 1));
	if (str_starts(rest, "!="))
		return !str_equal(value, rest + 2);
	const char *open = strchr(rest, '(');
	const char *close = strchr(rest, ')');
	if (open == NULL || close == NULL)
		abort();
	bool in = is_one_of(open + 1, (size_t)(close - open - 1), value);
	return str_starts(rest, " in (") ? in : !in;
}

/* Commas within parentheses do not separate. */
static bool selector_holds(const char *selector, const json *labels)
{
	const char *start = selector;
	int depth = 0;
	for (const char *p = selector;; p++) {
		depth += (*p == '(') - (*p == ')');
		if (*p != '\0' && (*p != ',' || depth > 0))
			continue;
		AUTO_STRING requirement = mem_strndup(start, (size_t)(p - start));
		if (requirement[0] != '\0' && !requirement_holds(requirement, labels))
			return false;
		if (*p == '\0')
			return true;
		start = p + 1;
	}
}

bool query_matches(const struct query *query, const json *tree)
{
	if (query->namespace != NULL && !str_equal(query->namespace, object_namespace(tree)))
		return false;
	if (query->name != NULL && !str_equal(query->name, object_name(tree)))
		return false;
	return query->label_selector == NULL ||
	       selector_holds(query->label_selector, json_path(tree, "metadata", "labels", NULL));
}

struct query query_copy(const struct query *query)
{
	return (struct query){
		.kind = query->kind,
		.namespace = mem_strdup(query->namespace),
		.name = mem_strdup(query->name),
		.label_selector = mem_strdup(query->label_selector),
	};
}

void query_release(struct query *query)
{
	free((char *)(uintptr_t)query->namespace);
	free((char *)(uintptr_t)query->name);
	free((char *)(uintptr_t)query->label_selector);
}
