/*
 * The rules of --match: which requests go to the new version whatever the weights say.
 *
 *   RULE: conditions joined by commas, all must hold; of several rules any may.
 *   cookie:NAME=VALUE   header:NAME=VALUE   ^= begins with   ~ a regular expression for all of it
 *
 * A comma within a value is written "\,". Values go into StringMatches of Istio:
 * https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest
 */
#ifndef TRAFFIC_RULE_H
#define TRAFFIC_RULE_H

#include "base/err.h"
#include "base/str.h"
#include "data/json.h"

#define RULES_MAXIMUM 16
#define RULE_MAXIMUM_BYTES 1024
#define CONDITIONS_MAXIMUM 8
#define HEADER_NAME_MAXIMUM 256

/* An array with an element for each text: the `headers` of an HTTPMatchRequest, lower-case names
 * to StringMatches. ERR_USAGE with the rule, what is wrong with it, and what to write. The caller
 * frees ret. */
int rules_parse(const struct str_list *texts, json **ret, struct err *err);

#endif
