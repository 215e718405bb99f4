/*
 * How a release that is under way looks: on a terminal a block of lines that is drawn over itself,
 * elsewhere one plain line for each change.
 */
#ifndef UI_PROGRESS_H
#define UI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

struct progress_version {
	const char *role; /* "stable" */
	const char *name; /* of the Deployment; NULL: no line */
	const char *version;
	int ready, replicas, weight;
};

struct progress {
	FILE *out;
	bool live; /* out is a terminal that can move its cursor */
	bool color;
	int drawn;  /* lines on the screen that will be drawn over */
	char *last; /* what was shown last */
};

/* Looks at the terminal: live on a terminal that is not "dumb"; colours unless NO_COLOR is set
 * (https://no-color.org). term and no_color are the values of these variables, or NULL. */
struct progress progress_new(FILE *out, const char *term, const char *no_color);
void progress_release(struct progress *progress);

/* Shows the versions and what is waited for. */
void progress_show(struct progress *progress, const struct progress_version *versions, size_t count,
	const char *waiting_for);

/* Prints a line for good, above the live block. */
void progress_print(struct progress *progress, FILE *out, const char *line);

/* Ends the live block. */
void progress_clear(struct progress *progress);

#endif
