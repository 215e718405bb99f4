/*
 * One case of the corpus, read from its file: tests/unit/traffic/corpus/README.md has the format.
 */
#ifndef TESTS_UNIT_TRAFFIC_CORPUS_H
#define TESTS_UNIT_TRAFFIC_CORPUS_H

#include <stdio.h>
#include <stdlib.h>

#include "data/yaml.h"
#include "traffic/rule.h"
#include "unit/traffic/samples.h"

struct corpus_case {
	char *path;
	json *tree; /* the document; the objects in it have their namespace */
	json *virtualservices, *destinationrules;
	char *domain;
	json *match_rules;
	struct intent intent;
};

static inline void case_release(struct corpus_case *item)
{
	json_free(item->tree);
	json_free(item->virtualservices);
	json_free(item->destinationrules);
	json_free(item->match_rules);
	free(item->domain);
}

/* The first document of a YAML file. The caller frees. */
static inline json *read_yaml(const char *path)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		fail_msg("%s cannot be read", path);
	static char text[1 << 18];
	size_t length = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	AUTO_JSON documents = NULL;
	struct err err = {0};
	if (yaml_parse(text, length, &documents, &err) != 0)
		fail_msg("%s: %s", path, err.message);
	assert_int_equal(json_count(documents), 1);
	return json_detach_at(documents, 0);
}

static inline const char *text_or(const json *object, const char *key, const char *otherwise)
{
	const char *text = json_get_text(object, key);
	return text != NULL ? text : otherwise;
}

/* As the API server has it: a namespace each. */
static inline void sort_objects(struct corpus_case *item)
{
	item->virtualservices = json_array();
	item->destinationrules = json_array();
	json_for_each (object, json_get(item->tree, "given")) {
		json *metadata = json_get(object, "metadata");
		if (json_get(metadata, "namespace") == NULL)
			json_set_text(metadata, "namespace", item->intent.namespace);
		bool route = str_equal(json_get_text(object, "kind"), "VirtualService");
		json_append(
			route ? item->virtualservices : item->destinationrules, json_copy(object));
	}
}

/* What the command line says. Returns the code of what refuses it. */
static inline int take_release(struct corpus_case *item, struct err *err)
{
	const json *release = json_get(item->tree, "release");
	struct intent *intent = &item->intent;
	const char *domain = json_get_text(release, "domain");
	if (domain != NULL)
		item->domain = mem_strdup(domain);
	else if (find_cluster_domain(item->virtualservices, item->destinationrules, intent->service,
			 intent->namespace, &item->domain, err) != 0)
		return err->code;
	intent->cluster_domain = item->domain;
	intent->selection = json_get(release, "only");
	json_for_each (step, json_get(release, "sticky"))
		intent->sticky_steps[intent->sticky_step_count++] = (int)json_integer(step, 0);
	CLEANUP(str_list_release) struct str_list texts = {0};
	json_for_each (rule, json_get(release, "match"))
		str_list_add(&texts, json_text(rule));
	if (texts.count == 0)
		return 0;
	int code = rules_parse(&texts, &item->match_rules, err);
	intent->match_rules = item->match_rules;
	return code;
}

/* Returns the code of what refuses the release already here. */
static inline int case_read(char *path, struct corpus_case *ret, struct err *err)
{
	*ret = (struct corpus_case){.path = path, .tree = read_yaml(path)};
	const json *release = json_get(ret->tree, "release");
	ret->intent.service = text_or(release, "service", "web");
	ret->intent.namespace = text_or(release, "namespace", "shop");
	ret->intent.stable_version = text_or(release, "from", "v1");
	ret->intent.canary_version = text_or(release, "to", "v2");
	sort_objects(ret);
	return take_release(ret, err);
}

static inline bool has_rules(const struct corpus_case *item)
{
	return json_count(item->match_rules) > 0 || item->intent.sticky_step_count > 0;
}

/* --- what is expected ----------------------------------------------------------------------- */

/* "virtualservice/web", and "virtualservice/web.other" for one in another namespace. */
static inline char *reference_of(
	const char *kind, const json *object, const struct corpus_case *item)
{
	const char *namespace = json_path_text(object, "metadata", "namespace", NULL);
	bool elsewhere = !str_equal(namespace, item->intent.namespace);
	return mem_format("%s/%s%s%s", kind, json_path_text(object, "metadata", "name", NULL),
		elsewhere ? "." : "", elsewhere ? namespace : "");
}

/* Where a list of weights stands, the one for this state. */
static inline void pick_weights(json *node, size_t index, size_t count)
{
	json *weight = json_get(node, "weight");
	if (json_is_array(weight)) {
		assert_int_equal(json_count(weight), count);
		json_set(node, "weight", json_copy(json_at(weight, index)));
	}
	json_for_each (member, node)
		pick_weights(member, index, count);
}

/* The members of spec that are expected in this state ("33"), from {"0 1": {…}, "33 50": {…}}.
 * NULL: those that are given. The caller frees. */
static inline json *expected_members(const json *states, const char *state)
{
	json_for_each (members, states) {
		CLEANUP(str_list_release) struct str_list names = {0};
		str_split(json_key(members), ' ', &names);
		for (size_t i = 0; i < names.count; i++) {
			if (!str_equal(names.items[i], state))
				continue;
			json *picked = json_copy(members);
			pick_weights(picked, i, names.count);
			return picked;
		}
	}
	return NULL;
}

/* The object in this state. The caller frees. */
static inline json *expected_object(
	const char *kind, const json *given, const char *state, const struct corpus_case *item)
{
	AUTO_STRING reference = reference_of(kind, given, item);
	AUTO_JSON members =
		expected_members(json_path(item->tree, "expected", reference, NULL), state);
	json *object = json_copy(given);
	json_for_each (member, members)
		json_set(json_get(object, "spec"), json_key(member), json_copy(member));
	return object;
}

/* --- a difference, to be read --------------------------------------------------------------- */

static inline void show_value(const char *word, const json *value)
{
	AUTO_STRING text = value != NULL ? yaml_print(value) : mem_strdup("absent\n");
	print_error("  %s\n", word);
	for (char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		print_error("    %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

/* Prints the places in which two trees differ, as near to the leaves as it makes sense. */
static inline void show_difference(const char *path, const json *found, const json *expected)
{
	if (json_equal(found, expected))
		return;
	bool objects = json_is_object(found) && json_is_object(expected);
	bool arrays = json_is_array(found) && json_is_array(expected) &&
		      json_count(found) == json_count(expected);
	if (!objects && !arrays) {
		print_error("%s\n", path);
		show_value("found", found);
		show_value("expected", expected);
		return;
	}
	size_t index = 0;
	json_for_each (member, found) {
		AUTO_STRING below = objects ? mem_format("%s.%s", path, json_key(member))
					    : mem_format("%s[%zu]", path, index);
		show_difference(below, member,
			objects ? json_get(expected, json_key(member)) : json_at(expected, index));
		index++;
	}
	json_for_each (member, expected) {
		if (objects && json_get(found, json_key(member)) == NULL) {
			AUTO_STRING below = mem_format("%s.%s", path, json_key(member));
			show_difference(below, NULL, member);
		}
	}
}

static inline void assert_expected(const struct corpus_case *item, const char *reference,
	const char *state, const json *found, const json *expected)
{
	if (json_equal(found, expected))
		return;
	AUTO_STRING path = mem_format("%s: %s at %s: ", item->path, reference, state);
	show_difference(path, found, expected);
	fail();
}

#endif
