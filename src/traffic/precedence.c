#include "traffic/precedence.h"

#include <string.h>

#include "base/str.h"

/* --- whether they meet ---------------------------------------------------------------------- */

static const char *text_or(const json *object, const char *key, const char *default_text)
{
	const char *text = json_get_text(object, key);
	return text != NULL ? text : default_text;
}

static const char *namespace_of_route(const json *httproute)
{
	return json_path_text(httproute, "metadata", "namespace", NULL);
}

static bool same_parent(const json *a, const json *a_route, const json *b, const json *b_route)
{
	static const char *const KEYS[][2] = {
		{"group", "gateway.networking.k8s.io"}, {"kind", "Gateway"}, {"name", ""}};
	for (size_t i = 0; i < COUNT_OF(KEYS); i++)
		if (!str_equal(
			    text_or(a, KEYS[i][0], KEYS[i][1]), text_or(b, KEYS[i][0], KEYS[i][1])))
			return false;
	return str_equal(text_or(a, "namespace", namespace_of_route(a_route)),
		text_or(b, "namespace", namespace_of_route(b_route)));
}

static bool share_a_parent(const json *a, const json *b)
{
	json_for_each (parent, json_path(a, "spec", "parentRefs", NULL))
		json_for_each (other, json_path(b, "spec", "parentRefs", NULL))
			if (same_parent(parent, a, other, b))
				return true;
	return false;
}

/* The more specific host wins before anything else does; a route without hosts has the Gateway's.
 */
static bool share_a_host(const json *a, const json *b)
{
	const json *hosts = json_path(a, "spec", "hostnames", NULL);
	const json *others = json_path(b, "spec", "hostnames", NULL);
	json_for_each (host, hosts)
		json_for_each (other, others)
			if (str_equal(json_text(host), json_text(other)))
				return true;
	return json_count(hosts) == 0 || json_count(others) == 0;
}

bool httproutes_compete(const json *a, const json *b)
{
	return share_a_parent(a, b) && share_a_host(a, b);
}

/* --- who wins ------------------------------------------------------------------------------- */

bool ranks_by_headers(const struct ranked *a, const struct ranked *b)
{
	const json *path = json_get(a->match, "path"), *other = json_get(b->match, "path");
	const char *type = text_or(path, "type", "PathPrefix");
	const char *other_type = text_or(other, "type", "PathPrefix");
	bool regex =
		str_equal(type, "RegularExpression") || str_equal(other_type, "RegularExpression");
	bool same = str_equal(type, other_type) &&
		    str_equal(text_or(path, "value", "/"), text_or(other, "value", "/"));
	bool methods =
		(json_get(a->match, "method") == NULL) == (json_get(b->match, "method") == NULL);
	return (regex || same) && methods;
}

/* RFC 3339 in UTC is in order as text. */
static int compare_age(const json *a, const json *b)
{
	static const char *const KEYS[] = {"creationTimestamp", "namespace", "name"};
	for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
		int order = strcmp(text_or(json_get(a, "metadata"), KEYS[i], ""),
			text_or(json_get(b, "metadata"), KEYS[i], ""));
		if (order != 0)
			return order;
	}
	return 0;
}

bool wins(const struct ranked *a, const struct ranked *b)
{
	static const char *const COUNTED[] = {"headers", "queryParams"};
	for (size_t i = 0; i < COUNT_OF(COUNTED); i++) {
		size_t count = json_count(json_get(a->match, COUNTED[i]));
		size_t other = json_count(json_get(b->match, COUNTED[i]));
		if (count != other)
			return count > other;
	}
	int age = compare_age(a->httproute, b->httproute);
	return age != 0 ? age < 0 : a->rule < b->rule;
}
