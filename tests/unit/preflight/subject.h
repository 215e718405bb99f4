/* A release for the tests of the preflight: deployment "web" of service "web", v1 to v2. */
#ifndef TESTS_UNIT_PREFLIGHT_SUBJECT_H
#define TESTS_UNIT_PREFLIGHT_SUBJECT_H

#include "preflight/checks.h"
#include "preflight/pod_spec.h"
#include "unit/traffic/trees.h"

struct release {
	struct subject subject;
	json *old_template, *new_template, *limit_ranges, *running;
	json *old_spec, *new_spec;
	json *labels[LABELS_COUNT];
	struct findings findings;
};

static inline void release_release(struct release *release)
{
	json_free(release->old_template);
	json_free(release->new_template);
	json_free(release->limit_ranges);
	json_free(release->running);
	json_free(release->old_spec);
	json_free(release->new_spec);
	for (size_t i = 0; i < LABELS_COUNT; i++)
		json_free(release->labels[i]);
	moments_release(&release->subject.forward);
	moments_release(&release->subject.back);
	findings_release(&release->findings);
}

#define AUTO_RELEASE CLEANUP(release_release) struct release

/* The specs as admission makes them: again after limit_ranges or running were set. */
static inline void admit(struct release *release)
{
	json_free(release->old_spec);
	json_free(release->new_spec);
	release->old_spec = pod_spec_admitted(release->old_template, release->limit_ranges,
		release->running, release->old_template);
	release->new_spec = pod_spec_admitted(release->new_template, release->limit_ranges,
		release->running, release->old_template);
	release->subject.old_spec = release->old_spec;
	release->subject.new_spec = release->new_spec;
}

/* Of 4 replicas, in batches 1/4, 2/3, 4/2; with an abort 4 pods of the old version each. The specs
 * are those of pods, with single quotes. */
static inline struct release new_release(const char *old_spec, const char *new_spec)
{
	struct release release = {
		.old_template = json_object(),
		.new_template = json_object(),
		.labels =
			{
				[LABELS_BEFORE] = tree("{'app': 'web'}"),
				[LABELS_TAGGED] = tree("{'app': 'web', 'version': 'v1'}"),
				[LABELS_COPY] = tree("{'app': 'web', 'version': 'v2'}"),
			},
		.subject = {.namespace = "shop",
			.service = "web",
			.deployment = "web",
			.copy = "web-v2",
			.old_version = "v1",
			.new_version = "v2",
			.replicas = 4,
			.by_weight = true},
	};
	json_set(release.old_template, "spec", tree(old_spec));
	json_set(release.new_template, "spec", tree(new_spec));
	release.subject.old_template = release.old_template;
	release.subject.new_template = release.new_template;
	for (size_t i = 0; i < LABELS_COUNT; i++)
		release.subject.labels[i] = release.labels[i];
	static const struct moment FORWARD[] = {{4, 1}, {3, 2}, {2, 4}};
	for (size_t i = 0; i < COUNT_OF(FORWARD); i++) {
		moments_add(&release.subject.forward, FORWARD[i].old_pods, FORWARD[i].new_pods);
		moments_add(&release.subject.back, 4, FORWARD[i].new_pods);
	}
	admit(&release);
	return release;
}

/* One container; resources as {'requests': …}. */
static inline struct release new_release_of(const char *resources)
{
	AUTO_STRING spec =
		mem_format("{'containers': [{'name': 'web', 'resources': %s}]}", resources);
	return new_release(spec, spec);
}

static inline json *list_of(const char *items)
{
	json *list = json_object();
	json_set(list, "items", tree(items));
	return list;
}

/* All that was found, a line each: "! " in front of what cannot work. */
static inline void assert_found(const struct release *release, const char *expected)
{
	AUTO_STRING text = mem_strdup("");
	for (size_t i = 0; i < release->findings.refusals.count; i++) {
		char *longer = mem_format("%s! %s\n", text, release->findings.refusals.items[i]);
		mem_cleanup(&text);
		text = longer;
	}
	for (size_t i = 0; i < release->findings.notes.count; i++) {
		char *longer = mem_format("%s%s\n", text, release->findings.notes.items[i]);
		mem_cleanup(&text);
		text = longer;
	}
	assert_string_equal(text, expected);
}

#endif
