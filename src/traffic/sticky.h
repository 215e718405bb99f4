/*
 * --sticky: whoever got a version by weight stays on it.
 *
 * A release goes from 0 to 100 percent in steps. Whoever comes without a cookie gets one that says
 * at which step this person will move to the canary, drawn by the size of the steps. From then on
 * rules in front of the split route send everybody whose step has come to the canary, and everybody
 * else to stable. So a person moves once, in one direction, and the share of the canary is exactly
 * the batch's weight at each step, among new and old visitors alike.
 *
 * The cookie is "batchrollout-<service>.<namespace>=<round>.<step>": what is left of an earlier
 * release, be it of the same version, says nothing in this one.
 */
#ifndef TRAFFIC_STICKY_H
#define TRAFFIC_STICKY_H

#include "traffic/destination.h"

/* Adds the cookie of a step, from 1 on, to the answers of an entry of a route's list. */
void sticky_set_cookie(json *entry, int step, const struct intent *intent);

/* The condition on request headers ({"cookie": {"regex": …}}) that holds for persons who are to
 * have the canary (or stable) at this weight; NULL where nobody is. The caller frees. */
json *sticky_condition(const struct intent *intent, int weight, bool canary);

/* Refuses a route that sets, adds or removes a Set-Cookie header where ours stands. What is wrong,
 * in words, or NULL. */
const char *sticky_obstacle(const json *route, const struct scope *scope);

#endif
