#include "api/selector.h"

#include "api/object.h"
#include "base/buf.h"
#include "base/str.h"

static bool map_is_in(const json *map, const json *labels)
{
	json_for_each (pair, map)
		if (!str_equal(json_get_text(labels, json_key(pair)), json_text(pair)))
			return false;
	return true;
}

bool selector_map_matches(const json *map, const json *labels)
{
	return json_count(map) > 0 && map_is_in(map, labels);
}

static bool values_have(const json *expression, const char *value)
{
	json_for_each (candidate, json_get(expression, "values"))
		if (str_equal(json_text(candidate), value))
			return true;
	return false;
}

static bool expression_matches(const json *expression, const json *labels)
{
	const char *op = json_get_text(expression, "operator");
	const char *key = json_get_text(expression, "key");
	const char *value = key == NULL ? NULL : json_get_text(labels, key);
	if (str_equal(op, "In"))
		return value != NULL && values_have(expression, value);
	if (str_equal(op, "NotIn"))
		return value == NULL || !values_have(expression, value);
	if (str_equal(op, "Exists"))
		return value != NULL;
	return str_equal(op, "DoesNotExist") && value == NULL;
}

bool selector_matches(const json *selector, const json *labels)
{
	if (selector == NULL || !map_is_in(json_get(selector, "matchLabels"), labels))
		return false;
	json_for_each (expression, json_get(selector, "matchExpressions"))
		if (!expression_matches(expression, labels))
			return false;
	return true;
}

bool selector_has_key(const json *selector, const char *key)
{
	if (json_path(selector, "matchLabels", key, NULL) != NULL)
		return true;
	json_for_each (expression, json_get(selector, "matchExpressions"))
		if (str_equal(json_get_text(expression, "key"), key))
			return true;
	return false;
}

json *selector_without(const json *selector, const char *key)
{
	json *copy = json_copy(selector);
	map_set_text(copy, "matchLabels", key, NULL);
	AUTO_JSON expressions = json_detach(copy, "matchExpressions");
	json_for_each (expression, expressions)
		if (!str_equal(json_get_text(expression, "key"), key))
			json_append(
				json_ensure_array(copy, "matchExpressions"), json_copy(expression));
	return copy;
}

static void add_separator(struct buf *buf)
{
	if (buf->length > 0)
		buf_add_char(buf, ',');
}

static void add_map(struct buf *buf, const json *map)
{
	json_for_each (pair, map) {
		add_separator(buf);
		buf_addf(buf, "%s=%s", json_key(pair), json_text(pair));
	}
}

static void add_expression(struct buf *buf, const json *expression)
{
	const char *op = json_get_text(expression, "operator");
	const char *key = json_get_text(expression, "key");
	add_separator(buf);
	if (str_equal(op, "Exists") || str_equal(op, "DoesNotExist")) {
		buf_addf(buf, "%s%s", str_equal(op, "Exists") ? "" : "!", key);
		return;
	}
	buf_addf(buf, "%s %s (", key, str_equal(op, "In") ? "in" : "notin");
	bool first = true;
	json_for_each (value, json_get(expression, "values")) {
		buf_addf(buf, "%s%s", first ? "" : ",", json_text(value));
		first = false;
	}
	buf_add_char(buf, ')');
}

char *selector_map_text(const json *map)
{
	AUTO_BUF buf = BUF_INIT(BUF_OWN_TEXT);
	add_map(&buf, map);
	return buf_take(&buf);
}

char *selector_text(const json *selector)
{
	AUTO_BUF buf = BUF_INIT(BUF_OWN_TEXT);
	add_map(&buf, json_get(selector, "matchLabels"));
	json_for_each (expression, json_get(selector, "matchExpressions"))
		add_expression(&buf, expression);
	return buf_take(&buf);
}
