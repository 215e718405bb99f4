/*
 * How a list of destinations is split. Weights are relative: each destination has its part of the
 * list's sum. Ours are replaced by shares, one for each version, that divide its part; where the
 * user's numbers are too small for exact shares, all weights of the list are multiplied by the
 * least factor that makes them exact.
 */
#ifndef TRAFFIC_SHARE_H
#define TRAFFIC_SHARE_H

#include <stdint.h>

#include "traffic/destination.h"

/* Sums of weights beyond int32 are wrong in istiod's own arithmetic. */
#define WEIGHTS_MAXIMUM INT32_MAX

/* The sum of a list's weights. A destination that is alone gets everything, whatever its weight
 * says; a weight that is left out is 0. */
int64_t weights_total(const json *list);

/* A list in which split->weight percent of each of ours goes to the canary. Both versions stay in
 * the list at 0 and at 100 percent. With rules, and where the release is sticky, it has a
 * destination for each of its steps, with the cookie that keeps a person there (sticky.h). The
 * caller frees. */
json *split_list(const json *list, const struct scope *scope, const struct split *split);

/* The same list, with all of ours for one version. The caller frees. */
json *pointed_list(const json *list, const struct scope *scope, bool canary);

#endif
