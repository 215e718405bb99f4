#include "simulate/request_match.h"

#include <string.h>

#include "base/str.h"
#include "simulate/string_match.h"

/* --- what istiod decides -------------------------------------------------------------------- */

static bool is_for_port(const json *match, const struct request *request, struct buf *reason)
{
	int64_t port = json_get_integer(match, "port", 0);
	if (port == 0 || port == request->port)
		return true;
	buf_addf(reason, "it is for port %d, the request for port %d", (int)port, request->port);
	return false;
}

static void add_gateway(struct buf *reason, const char *gateway)
{
	buf_addf(reason, "%s%s", str_equal(gateway, MESH_GATEWAY) ? "the " : "gateway ", gateway);
}

static bool is_for_gateway(const json *gateways, const struct request *request, struct buf *reason)
{
	json_for_each (gateway, gateways)
		if (str_equal(json_text(gateway), request->gateway))
			return true;
	buf_add_text(reason, "it is for ");
	json_for_each (gateway, gateways) {
		if (gateway != json_first(gateways))
			buf_add_text(reason, ", ");
		add_gateway(reason, json_text(gateway));
	}
	buf_add_text(reason, "; the request comes from ");
	add_gateway(reason, request->gateway);
	return false;
}

static bool has_labels(const json *labels, const json *wanted)
{
	json_for_each (label, wanted)
		if (!str_equal(json_get_text(labels, json_key(label)), json_text(label)))
			return false;
	return true;
}

static bool is_for_client(const json *match, const struct request *request, struct buf *reason)
{
	const json *wanted = json_get(match, "sourceLabels");
	if (!has_labels(request->labels, wanted)) {
		buf_add_text(reason, "it is for clients with the labels ");
		json_for_each (label, wanted)
			buf_addf(reason, "%s%s=%s", label == json_first(wanted) ? "" : ",",
				json_key(label), json_text(label));
		if (request->labels == NULL)
			buf_add_text(reason, "; the labels of this client are not known");
		return false;
	}
	const char *namespace = json_get_text(match, "sourceNamespace");
	if (str_empty(namespace) || str_equal(namespace, request->client_namespace))
		return true;
	buf_addf(reason, "it is for clients in namespace %s, the request comes from %s", namespace,
		request->client_namespace);
	return false;
}

/* A block that names gateways is taken for its gateways alone: istiod does not look at the client's
 * labels and namespace then. */
bool match_is_for_proxy(const json *match, const struct request *request, struct buf *reason)
{
	if (!is_for_port(match, request, reason))
		return false;
	const json *gateways = json_get(match, "gateways");
	return json_count(gateways) > 0 ? is_for_gateway(gateways, request, reason)
					: is_for_client(match, request, reason);
}

bool connection_match_is_for_proxy(
	const json *match, const struct request *request, struct buf *reason)
{
	const json *gateways = json_get(match, "gateways");
	if (!is_for_port(match, request, reason) ||
		(json_count(gateways) > 0 && !is_for_gateway(gateways, request, reason)))
		return false;
	/* For gateways, istiod looks at nothing else. */
	return !request_is_from_mesh(request) || is_for_client(match, request, reason);
}

/* --- what Envoy decides --------------------------------------------------------------------- */

static void add_sentence(struct buf *reason, const char *subject, const char *value,
	const json *match, enum match_result result, bool ignore_case)
{
	buf_addf(reason, "%s \"%s\" ", subject, value);
	string_match_describe(match, result, ignore_case, reason);
}

static bool path_holds(const json *match, const struct request *request, struct buf *reason)
{
	const json *wanted = json_get(match, "uri");
	bool ignore_case = json_is_true(json_get(match, "ignoreUriCase"));
	AUTO_STRING path = request_path(request);
	enum match_result result = string_match(wanted, path, ignore_case);
	if (result != MATCH_YES)
		add_sentence(reason, "path", path, wanted, result, ignore_case);
	return result == MATCH_YES;
}

/* Claims of a token reach a route only through a proxy that has checked the token. */
static bool is_claim(const char *name)
{
	return strncasecmp(name, "@request.auth.claims", strlen("@request.auth.claims")) == 0;
}

static bool refuse_claim(const char *name, struct buf *reason)
{
	buf_addf(reason, "%s: the claims of the request's token are not known here", name);
	return false;
}

/* What becomes of one value; MATCH_UNKNOWN for one that only the proxy knows. */
static enum match_result match_value(const json *wanted, const json *value)
{
	if (string_match_is_presence(wanted))
		return MATCH_YES;
	return json_text(value) == NULL ? MATCH_UNKNOWN
					: string_match(wanted, json_text(value), false);
}

static const char *shown(const json *value)
{
	return json_text(value) == NULL ? "(made by the proxy)" : json_text(value);
}

/* Of a header that is repeated, Envoy looks at each value alone: one that matches is enough. */
static bool header_holds(const char *subject, const char *name, const json *wanted,
	const struct request *request, struct buf *reason)
{
	AUTO_JSON values = request_header_values(request, name);
	enum match_result result = MATCH_NO;
	json_for_each (value, values) {
		enum match_result one = match_value(wanted, value);
		if (one == MATCH_YES)
			return true;
		result = one == MATCH_UNKNOWN ? one : result;
	}
	if (json_count(values) == 0)
		buf_addf(reason, "there is no %s", subject);
	else
		add_sentence(reason, subject, shown(json_first(values)), wanted, result, false);
	return false;
}

static bool headers_hold(const json *match, const struct request *request, struct buf *reason)
{
	json_for_each (wanted, json_get(match, "headers")) {
		const char *name = json_key(wanted);
		if (is_claim(name))
			return refuse_claim(name, reason);
		AUTO_STRING subject = mem_format("header %s", name);
		if (!header_holds(subject, name, wanted, request, reason))
			return false;
	}
	return true;
}

/* A header that is not there counts as empty, except where its presence is what is excluded. */
static bool header_is_absent(
	const char *name, const json *excluded, const struct request *request, struct buf *reason)
{
	AUTO_JSON values = request_header_values(request, name);
	if (json_count(values) == 0 && !string_match_is_presence(excluded)) {
		enum match_result result = string_match(excluded, "", false);
		if (result == MATCH_NO)
			return true;
		buf_addf(reason, "there is no header %s, it counts as empty, which ", name);
		string_match_describe(excluded, result, false, reason);
		return false;
	}
	json_for_each (value, values) {
		enum match_result result = match_value(excluded, value);
		if (result == MATCH_NO)
			continue;
		buf_addf(reason, "header %s \"%s\" ", name, shown(value));
		string_match_describe(excluded, result, false, reason);
		buf_add_text(reason, ", which is excluded");
		return false;
	}
	return true;
}

static bool excluded_headers_hold(
	const json *match, const struct request *request, struct buf *reason)
{
	json_for_each (excluded, json_get(match, "withoutHeaders")) {
		const char *name = json_key(excluded);
		if (is_claim(name))
			return refuse_claim(name, reason);
		if (!header_is_absent(name, excluded, request, reason))
			return false;
	}
	return true;
}

static bool parameters_hold(const json *match, const struct request *request, struct buf *reason)
{
	json_for_each (wanted, json_get(match, "queryParams")) {
		AUTO_STRING subject = mem_format("query parameter %s", json_key(wanted));
		AUTO_STRING value = request_query_value(request, json_key(wanted));
		if (value == NULL) {
			buf_addf(reason, "there is no %s", subject);
			return false;
		}
		enum match_result result = string_match(wanted, value, false);
		if (result == MATCH_YES)
			continue;
		add_sentence(reason, subject, value, wanted, result, false);
		return false;
	}
	return true;
}

/* Fields that are headers to Envoy. */
static const struct {
	const char *field, *header, *subject;
} HEADER_FIELDS[] = {
	{"method", ":method", "method"},
	{"authority", ":authority", "authority"},
	{"scheme", ":scheme", "scheme"},
};

bool match_holds(const json *match, const struct request *request, struct buf *reason)
{
	if (!path_holds(match, request, reason))
		return false;
	for (size_t i = 0; i < COUNT_OF(HEADER_FIELDS); i++) {
		const json *wanted = json_get(match, HEADER_FIELDS[i].field);
		if (json_is_object(wanted) &&
			!header_holds(HEADER_FIELDS[i].subject, HEADER_FIELDS[i].header, wanted,
				request, reason))
			return false;
	}
	return headers_hold(match, request, reason) &&
	       excluded_headers_hold(match, request, reason) &&
	       parameters_hold(match, request, reason);
}

bool match_is_catch_all(const json *match)
{
	static const char *const LISTS[] = {"headers", "withoutHeaders", "queryParams"};
	for (size_t i = 0; i < COUNT_OF(LISTS); i++)
		if (json_count(json_get(match, LISTS[i])) > 0)
			return false;
	for (size_t i = 0; i < COUNT_OF(HEADER_FIELDS); i++)
		if (json_is_object(json_get(match, HEADER_FIELDS[i].field)))
			return false;
	const json *uri = json_get(match, "uri");
	const char *prefix = json_get_text(uri, "prefix");
	const char *regex = json_get_text(uri, "regex");
	bool any = json_get(uri, "exact") == NULL && prefix == NULL && regex == NULL;
	return any || str_equal(prefix, "/") || str_equal(regex, ".*");
}
