/*
 * The subject of a preflight: a release, as far as the cluster around it is concerned, and what is
 * found. Everything here is pure: who reads the cluster is src/release/preflight.c.
 */
#ifndef PREFLIGHT_SUBJECT_H
#define PREFLIGHT_SUBJECT_H

#include "api/kind.h"
#include "base/str.h"
#include "data/json.h"

/* How many pods there are at the same time: of the old template and of the new one. */
struct moment {
	int old_pods, new_pods;
};

struct moments {
	struct moment *items;
	size_t count;
};

/* An object that the release creates and that is there to its end. */
struct creation {
	const struct kind *kind;
	int count;
};
#define CREATIONS_MAXIMUM 8

/* Labels under which the pods of one version are known. */
enum labels {
	LABELS_BEFORE, /* of the old version, before the release */
	LABELS_TAGGED, /* of the same, while it lasts */
	LABELS_COPY,   /* of the new version, while it lasts */
	LABELS_COUNT,
};

struct subject {
	const char *namespace;
	const char *service, *deployment;
	const char *copy;
	const char *successor; /* the copy, where it takes the Deployment's place; or NULL */
	const char *old_version, *new_version;
	int replicas;
	bool by_weight; /* requests are not split by the number of pods */
	const json *old_template, *new_template;
	/* Their specs as admission makes them (pod_spec.h). */
	const json *old_spec, *new_spec;
	const json *labels[LABELS_COUNT]; /* may be NULL */
	/* On the way to the end, and on the way back from anywhere. */
	struct moments forward, back;
	struct creation creations[CREATIONS_MAXIMUM];
	size_t creation_count;
};

void moments_add(struct moments *moments, int old_pods, int new_pods);
void moments_release(struct moments *moments);

/* How many pods: of the new template, and of the old one where that is said. */
int moment_pods(const struct moment *moment, bool old_too);
/* The one with the most of them. */
struct moment moments_most(const struct moments *moments, bool old_too);

/* What cannot work, and what the user should know; a text for each. */
struct findings {
	struct str_list refusals, notes;
};

void findings_release(struct findings *findings);
/* Both take text over. */
void add_refusal(struct findings *findings, char *text);
void add_finding(struct findings *findings, char *text);

#endif
