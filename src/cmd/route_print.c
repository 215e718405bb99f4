#include "cmd/route_print.h"

#include <inttypes.h>

#include "base/str.h"

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static bool has_protocol(const json *answer, const char *protocol)
{
	return str_equal(json_get_text(answer, "protocol"), protocol);
}

static void add_headline(struct buf *buf, const struct request *request, const json *answer)
{
	if (has_protocol(answer, "tcp") || has_protocol(answer, "tls"))
		buf_addf(buf, "a connection to %s port %d", request->host, request->port);
	else
		buf_addf(buf, "%s %s of %s", request->method, request->path, request->host);
	if (has_protocol(answer, ROUTE_BY_KUBE_PROXY))
		buf_add_text(buf,
			"\nthe cluster does not serve Istio's API: kube-proxy chooses among "
			"the ready pods\n");
	else if (request_is_from_mesh(request))
		buf_addf(buf, " from the mesh in %s\n", request->client_namespace);
	else
		buf_addf(buf, " through gateway %s\n", request->gateway);
}

/* "spec.http[1] "main", match[0]", for a rule as traffic/simulate.h has it. */
static void add_place(struct buf *buf, const json *rule)
{
	buf_addf(buf, "spec.%s[%" PRId64 "]", or_empty(json_get_text(rule, "protocol")),
		json_get_integer(rule, "index", 0));
	const json *delegate = json_get(rule, "delegate");
	if (delegate != NULL)
		buf_addf(buf, " by spec.http[%" PRId64 "] of virtualservice %s/%s",
			json_get_integer(delegate, "index", 0),
			or_empty(json_get_text(delegate, "namespace")),
			or_empty(json_get_text(delegate, "name")));
	if (json_get_text(rule, "name") != NULL)
		buf_addf(buf, " \"%s\"", json_get_text(rule, "name"));
	if (json_get(rule, "match") != NULL)
		buf_addf(buf, ", match[%" PRId64 "]", json_get_integer(rule, "match", 0));
}

static void add_virtualservice(struct buf *buf, const json *rule)
{
	buf_addf(buf, "virtualservice %s/%s",
		or_empty(json_path_text(rule, "virtualService", "namespace", NULL)),
		or_empty(json_path_text(rule, "virtualService", "name", NULL)));
}

static void add_rule(struct buf *buf, const json *answer)
{
	const json *rule = json_get(answer, "rule");
	if (rule == NULL) {
		if (has_protocol(answer, "http") &&
			str_equal(json_get_text(answer, "outcome"), "route"))
			buf_add_text(buf, "no virtualservice has a part in it\n");
		return;
	}
	add_virtualservice(buf, rule);
	buf_add_text(buf, ", ");
	add_place(buf, rule);
	buf_add_char(buf, '\n');
}

/* --- what becomes of the request ------------------------------------------------------------ */

static void add_line(struct buf *buf, double probability, const char *version)
{
	AUTO_STRING percent = mem_format("%.4g%%", 100 * probability);
	buf_addf(buf, "  %-7s %-10s ", percent, version == NULL ? "-" : version);
}

static void add_where(struct buf *buf, const json *destination)
{
	const char *subset = json_get_text(destination, "subset");
	if (subset != NULL)
		buf_addf(buf, "subset %s of ", subset);
	buf_addf(buf, "%s:%" PRId64, or_empty(json_get_text(destination, "host")),
		json_get_integer(destination, "port", 0));
}

static void add_destination(struct buf *buf, const json *destination)
{
	double probability = json_double(json_get(destination, "probability"), 0);
	const char *problem = json_get_text(destination, "problem");
	const json *versions = json_get(destination, "versions");
	if (json_count(versions) == 0) {
		add_line(buf, probability, json_get_text(destination, "version"));
		add_where(buf, destination);
		buf_addf(buf, "%s%s\n", problem == NULL ? "" : ": fails, ", or_empty(problem));
		return;
	}
	json_for_each (version, versions) {
		int64_t pods = json_get_integer(version, "pods", 0);
		add_line(buf, probability * json_double(json_get(version, "share"), 0),
			json_get_text(version, "version"));
		add_where(buf, destination);
		buf_addf(buf, ", %" PRId64 " ready %s\n", pods, pods == 1 ? "pod" : "pods");
	}
}

static void add_destinations(struct buf *buf, const json *answer)
{
	json_for_each (destination, json_get(answer, "destinations"))
		add_destination(buf, destination);
	if (json_count(json_get(answer, "destinations")) == 0)
		buf_add_text(buf, "  nothing: its weights add up to 0\n");
}

static void add_redirect(struct buf *buf, const json *answer)
{
	const json *redirect = json_get(answer, "redirect");
	AUTO_STRING text = redirect == NULL ? mem_strdup("to https") : json_print(redirect);
	buf_addf(buf, "  redirected with %" PRId64 ": %s\n", json_get_integer(answer, "status", 0),
		text);
}

static void add_response(struct buf *buf, const json *answer)
{
	buf_addf(buf, "  answered by the proxy with %" PRId64 "\n",
		json_get_integer(answer, "status", 0));
}

static void add_not_found(struct buf *buf, const json *answer)
{
	(void)answer;
	buf_add_text(buf, "  no rule matches: 404\n");
}

static void add_passthrough(struct buf *buf, const json *answer)
{
	(void)answer;
	buf_add_text(buf,
		"  the client's proxy knows no such host on this port: it sends the request "
		"to the address that\n  the client found, or answers 502, as the mesh's "
		"outboundTrafficPolicy says\n");
}

static void add_closed(struct buf *buf, const json *answer)
{
	(void)answer;
	buf_add_text(buf, "  nothing takes the connection: it is closed\n");
}

static const struct {
	const char *outcome;
	void (*add)(struct buf *buf, const json *answer);
} OUTCOMES[] = {
	{"route", add_destinations},
	{"redirect", add_redirect},
	{"directResponse", add_response},
	{"notFound", add_not_found},
	{"passthrough", add_passthrough},
	{"closed", add_closed},
};

static void add_fault(struct buf *buf, const json *answer)
{
	const json *fault = json_get(answer, "fault");
	AUTO_STRING text = json_is_object(fault) ? json_print(fault) : NULL;
	if (text != NULL)
		buf_addf(buf, "  before that, faults: %s\n", text);
}

/* --- why ------------------------------------------------------------------------------------ */

static void add_passed_over(struct buf *buf, const json *answer)
{
	const json *rules = json_get(answer, "passedOver");
	const json *chosen = json_path(answer, "rule", "virtualService", NULL);
	if (json_count(rules) > 0)
		buf_add_text(buf, "passed over:\n");
	json_for_each (rule, rules) {
		buf_add_text(buf, "  ");
		if (!json_equal(json_get(rule, "virtualService"), chosen)) {
			add_virtualservice(buf, rule);
			buf_add_text(buf, ", ");
		}
		add_place(buf, rule);
		buf_addf(buf, ": %s\n", or_empty(json_get_text(rule, "reason")));
	}
}

static void add_hidden(struct buf *buf, const json *answer)
{
	const json *hidden = json_get(answer, "hidden");
	if (json_count(hidden) > 0)
		buf_add_text(buf, "hidden:\n");
	json_for_each (entry, hidden)
		buf_addf(buf, "  virtualservice %s/%s: %s\n",
			or_empty(json_get_text(entry, "namespace")),
			or_empty(json_get_text(entry, "name")),
			or_empty(json_get_text(entry, "reason")));
}

void route_print(const struct request *request, const json *answer, struct buf *buf)
{
	add_headline(buf, request, answer);
	add_rule(buf, answer);
	add_fault(buf, answer);
	for (size_t i = 0; i < COUNT_OF(OUTCOMES); i++)
		if (str_equal(OUTCOMES[i].outcome, json_get_text(answer, "outcome")))
			OUTCOMES[i].add(buf, answer);
	add_passed_over(buf, answer);
	add_hidden(buf, answer);
}
