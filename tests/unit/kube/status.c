#include "kube/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void check(int http_status, const char *body, int code, const char *message)
{
	struct err err = {0};
	assert_int_equal(status_error(http_status, body, strlen(body), &err), code);
	assert_string_equal(err.message, message);
	assert_int_equal(err.code, code);
	assert_int_equal(status_error(http_status, body, strlen(body), NULL), code);
}

static void words_status_objects_as_kubectl_does(void **state)
{
	(void)state;
	check(403,
		"{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"deployments.apps "
		"\\\"web\\\" is forbidden: User \\\"x\\\" cannot patch\"}",
		ERR_FORBIDDEN,
		"Error from server (Forbidden): deployments.apps \"web\" is forbidden: User \"x\" "
		"cannot patch");
	check(404,
		"{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"pods \\\"a\\\" not "
		"found\"}",
		ERR_NOT_FOUND, "Error from server (NotFound): pods \"a\" not found");
	check(409, "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"message\":\"m\"}",
		ERR_EXISTS, "Error from server (AlreadyExists): m");
	check(409, "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"m\"}", ERR_CONFLICT,
		"Error from server (Conflict): m");
	check(410, "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"m\"}", ERR_EXPIRED,
		"Error from server (Expired): m");
	check(401, "{\"kind\":\"Status\",\"reason\":\"Unauthorized\",\"message\":\"Unauthorized\"}",
		ERR_FORBIDDEN, "You must be logged in to the server (Unauthorized)");
	check(400, "{\"kind\":\"Status\",\"message\":\"m\"}", ERR_INVALID, "Error from server: m");
	check(500, "{\"kind\":\"Status\",\"reason\":\"InternalError\"}", ERR_UNAVAILABLE,
		"Error from server (InternalError): the server gave no message");
}

static void names_the_causes_of_invalid_objects(void **state)
{
	(void)state;
	check(422,
		"{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"long\",\"details\":{"
		"\"kind\":\"Deployment\",\"name\":\"web\",\"causes\":[{\"field\":\"spec.a\","
		"\"message\":\"Required value\"},{\"message\":\"b\"}]}}",
		ERR_INVALID, "The Deployment \"web\" is invalid: spec.a: Required value; b");
	check(422, "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"m\"}", ERR_INVALID,
		"Error from server (Invalid): m");
}

static void understands_proxies(void **state)
{
	(void)state;
	check(404, "404 page not found\n", ERR_NOT_FOUND,
		"Error from server (NotFound): the server could not find the requested resource");
	check(503, "no healthy upstream", ERR_UNAVAILABLE,
		"Error from server (ServiceUnavailable): the server is currently unable to handle "
		"the request: no healthy upstream");
	check(502, "<html>Bad gateway</html>", ERR_UNAVAILABLE,
		"Error from server (InternalError): the server answered with the HTTP status 502");
	check(302, "", ERR_FAILED,
		"Error from server (Unknown): the server answered with the HTTP status 302");
	check(429, "", ERR_UNAVAILABLE,
		"Error from server (TooManyRequests): the server has received too many requests "
		"and has asked us to try again later");
	check(401, "Unauthorized", ERR_FORBIDDEN,
		"You must be logged in to the server (Unauthorized)");
	check(409, "[]", ERR_CONFLICT,
		"Error from server (Conflict): the server reported a conflict: []");
}

static void reads_errors_of_watches(void **state)
{
	(void)state;
	struct err err = {0};
	AUTO_JSON status = NULL;
	static const char TEXT[] =
		"{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"old\"}";
	assert_int_equal(json_parse(TEXT, strlen(TEXT), &status, NULL), 0);
	assert_int_equal(status_object_error(status, &err), ERR_EXPIRED);
	assert_string_equal(err.message, "Error from server (Expired): old");
	assert_int_equal(status_object_error(NULL, &err), ERR_UNAVAILABLE);
}

static void check_display(const char *message, const char *expected)
{
	AUTO_STRING line = status_display(message);
	assert_string_equal(line, expected);
}

static void displays_as_kubectl_does(void **state)
{
	(void)state;
	check_display("no such flag", "error: no such flag");
	check_display("Error from server (NotFound): x", "Error from server (NotFound): x");
	check_display("creating web: Error from server (Forbidden): no",
		"Error from server (Forbidden): creating web: no");
	check_display("a: b: Error from server: no", "Error from server: a: b: no");
	check_display("about: Error from server without an end",
		"error: about: Error from server without an end");
	check_display("about: Error from server (X without an end",
		"error: about: Error from server (X without an end");
	check_display("The Deployment \"w\" is invalid: spec: x",
		"The Deployment \"w\" is invalid: spec: x");
	check_display("The connection to the server a:1 was refused - did you",
		"The connection to the server a:1 was refused - did you");
	check_display("You must be logged in to the server (Unauthorized)",
		"error: You must be logged in to the server (Unauthorized)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_status_objects_as_kubectl_does),
		cmocka_unit_test(names_the_causes_of_invalid_objects),
		cmocka_unit_test(understands_proxies),
		cmocka_unit_test(reads_errors_of_watches),
		cmocka_unit_test(displays_as_kubectl_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
