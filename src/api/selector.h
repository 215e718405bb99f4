/*
 * Label selectors: the LabelSelector of apps/v1 and the plain map of a Service.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
#ifndef API_SELECTOR_H
#define API_SELECTOR_H

#include "data/json.h"

/* A plain map (Service spec.selector): every pair must be in labels. An empty or absent map
 * selects nothing, as for a Service. */
bool selector_map_matches(const json *map, const json *labels);

/* A LabelSelector with matchLabels and matchExpressions (In, NotIn, Exists, DoesNotExist). An
 * empty one selects everything, an absent one (NULL) nothing. */
bool selector_matches(const json *selector, const json *labels);

/* A copy without what it says of one label. The caller frees. */
json *selector_without(const json *selector, const char *key);

/* Whether it says anything of the label. */
bool selector_has_key(const json *selector, const char *key);

/* The selector in the API's text form ("app=web,tier in (a,b)"). The caller frees. */
char *selector_text(const json *selector);
char *selector_map_text(const json *map);

#endif
