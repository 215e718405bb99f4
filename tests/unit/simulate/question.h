/* Questions to the simulator in short, and its answers in one line. */
#ifndef TESTS_UNIT_TRAFFIC_QUESTION_H
#define TESTS_UNIT_TRAFFIC_QUESTION_H

#include "base/buf.h"
#include "simulate/simulate.h"
#include "unit/traffic/trees.h"

#define SERVICE(namespace, name, ports)                                                            \
	"{'metadata': {'namespace': '" namespace "', 'name': '" name "'},"                         \
						 " 'spec': {'clusterIP': '10.96.0.9', 'ports': "   \
						 "[" ports "]}}"
#define PORT(name, number) "{'name': '" name "', 'port': " number "}"
#define SERVICES                                                                                   \
	"[" SERVICE("shop", "web",                                                                 \
		PORT("http", "80") "," PORT("http-alt", "8080") "," PORT("tcp", "9000") "," PORT(  \
			"https", "443") "," PORT("odd", "7000")) "," SERVICE("shop", "api",        \
		PORT("http", "8080")) "]"

/* A VirtualService: its age as one digit, the members of its spec. */
#define VS(namespace, name, age, spec)                                                             \
	"{'metadata': {'namespace': '" namespace "', 'name': '" name                               \
						 "', 'creationTimestamp': '2025-01-0" age          \
						 "T00:00:00Z'}, 'spec': {" spec "}}"
#define WEB "'hosts': ['web.shop.svc.cluster.local'], "
#define TO(subset)                                                                                 \
	"'route': [{'destination': {'host': 'web.shop.svc.cluster.local', 'subset': '" subset "'}" \
	"}]"
#define HTTP(routes) "'http': [" routes "]"
#define ONE(subset) HTTP("{" TO(subset) "}")
#define GATEWAY(hosts)                                                                             \
	"[{'metadata': {'namespace': 'ingress', 'name': 'web'}, 'spec': {'servers': ["             \
	"{'port': {'number': 80, 'protocol': 'HTTP'}, 'hosts': [" hosts "]},"                      \
	"{'port': {'number': 443, 'protocol': 'TLS'}, 'tls': {'mode': 'PASSTHROUGH'},"             \
	" 'hosts': [" hosts "]},"                                                                  \
	"{'port': {'number': 31400, 'protocol': 'TCP'}, 'hosts': [" hosts "]}]}}]"

/* What is asked; members that are NULL or 0 have the usual value. */
struct question {
	const char *virtualservices;
	const char *destinationrules, *services, *gateways;
	const char *host, *path, *from, *namespace, *labels;
	int port;
};

static inline const char *or_else(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

static inline json *answer_to(const struct question *question)
{
	AUTO_JSON virtualservices = tree(question->virtualservices);
	AUTO_JSON destinationrules = tree(or_else(question->destinationrules, "[]"));
	AUTO_JSON services = tree(or_else(question->services, SERVICES));
	AUTO_JSON gateways = tree(or_else(question->gateways, GATEWAY("'*'")));
	AUTO_JSON labels = tree(or_else(question->labels, "null"));
	struct mesh mesh = {virtualservices, destinationrules, services, gateways, "cluster.local",
		"istio-system"};
	struct request request = {
		.service = "web",
		.service_namespace = "shop",
		.port = question->port == 0 ? 80 : question->port,
		.host = or_else(question->host, "web.shop.svc.cluster.local"),
		.path = or_else(question->path, "/"),
		.method = "GET",
		.gateway = or_else(question->from, "mesh"),
		.client_namespace = or_else(question->namespace, "shop"),
		.labels = labels,
	};
	return simulate(&mesh, &request);
}

/* "shop/a[1].0 s 75%, t 25%": the rule (with its match block) and the subsets; or the outcome with
 * its status. */
static inline char *summary(const json *answer)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	const json *rule = json_get(answer, "rule");
	if (rule != NULL)
		buf_addf(&text, "%s/%s[%d]",
			json_path_text(rule, "virtualService", "namespace", NULL),
			json_path_text(rule, "virtualService", "name", NULL),
			(int)json_get_integer(rule, "index", -1));
	if (json_get(rule, "match") != NULL)
		buf_addf(&text, ".%d", (int)json_get_integer(rule, "match", -1));
	if (strcmp(json_get_text(answer, "outcome"), "route") != 0)
		buf_addf(&text, "%s%s %d", text.length > 0 ? " " : "",
			json_get_text(answer, "outcome"),
			(int)json_get_integer(answer, "status", 0));
	const char *separator = text.length > 0 ? " " : "";
	json_for_each (destination, json_get(answer, "destinations")) {
		const char *subset = json_get_text(destination, "subset");
		buf_addf(&text, "%s%s %.4g%%", separator,
			subset != NULL ? subset : json_get_text(destination, "host"),
			100 * json_double(json_get(destination, "probability"), -1));
		separator = ", ";
	}
	return buf_take(&text);
}

static inline void assert_answer(const struct question question, const char *expected)
{
	AUTO_JSON answer = answer_to(&question);
	AUTO_STRING found = summary(answer);
	if (strcmp(found, expected) == 0)
		return;
	AUTO_STRING all = json_print(answer);
	fail_msg("found    %s\nexpected %s\nof %s\nanswer %s", found, expected,
		question.virtualservices, all);
}

#define ASK(expected, ...) assert_answer((struct question){__VA_ARGS__}, expected)

#endif
