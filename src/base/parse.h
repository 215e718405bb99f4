/*
 * Text to values, strictly: the whole text must be the value. Errors say what was expected, without
 * naming the option: the caller wraps.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdint.h>

#include "base/err.h"

/* A decimal integer within [minimum, maximum]. */
int parse_int(const char *text, int64_t minimum, int64_t maximum, int64_t *ret, struct err *err);

/* A duration as Go writes them (time.ParseDuration): "2s", "1m30s", "500ms", "1.5h"; "0" alone is
 * allowed; not negative. Milliseconds. */
int parse_duration(const char *text, int64_t *ret_ms, struct err *err);

/* The same the other way round, in the largest units that are exact: 90000 is "1m30s". The buffer
 * must hold 32 bytes; returned for convenience. */
char *format_duration(int64_t ms, char buffer[32]);

/* A moment as the API writes them, RFC 3339 in UTC without fractions: "2026-01-31T12:00:00Z".
 * Seconds since 1970. */
int parse_time(const char *text, int64_t *ret_seconds, struct err *err);

/* A Kubernetes label value: at most 63 of [A-Za-z0-9._-], first and last alphanumeric, not empty.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
int check_label_value(const char *text, struct err *err);

/* A DNS-1123 label or subdomain, as object names are. maximum: 63 or 253. */
int check_object_name(const char *text, int maximum, struct err *err);

#endif
