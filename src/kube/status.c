#include "kube/status.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

enum { TEXT_MAXIMUM = 1024 }; /* of an answer that is no Status, in a message */

/* For answers without a Status object, of proxies and load balancers mostly. */
static const struct {
	int http_status;
	const char *reason, *message;
} GENERIC[] = {
	{400, "BadRequest", "the server rejected our request for an unknown reason"},
	{403, "Forbidden", "the server refuses this request"},
	{404, "NotFound", "the server could not find the requested resource"},
	{405, "MethodNotAllowed",
		"the server does not allow this method on the requested resource"},
	{409, "Conflict", "the server reported a conflict"},
	{410, "Gone", "the resource version is too old"},
	{413, "RequestEntityTooLarge", "the request is too large"},
	{422, "Invalid", "the server rejected our request due to an error in our request"},
	{429, "TooManyRequests",
		"the server has received too many requests and has asked us to try again later"},
	{503, "ServiceUnavailable", "the server is currently unable to handle the request"},
	{504, "Timeout",
		"the server was unable to return a response in the time allotted, but may still be "
		"processing the request"},
};

static int code_of(int http_status, const char *reason)
{
	switch (http_status) {
	case 401:
	case 403:
		return ERR_FORBIDDEN;
	case 404:
		return ERR_NOT_FOUND;
	case 408:
	case 429:
		return ERR_UNAVAILABLE;
	case 409:
		return str_equal(reason, "AlreadyExists") ? ERR_EXISTS : ERR_CONFLICT;
	case 410:
		return ERR_EXPIRED;
	default:
		if (http_status >= 500)
			return ERR_UNAVAILABLE;
		return http_status >= 400 ? ERR_INVALID : ERR_FAILED;
	}
}

static int set_server_error(struct err *err, int code, const char *reason, const char *message)
{
	if (str_equal(reason, "Unauthorized"))
		return err_set(
			err, code, "You must be logged in to the server (%s)", "Unauthorized");
	if (str_empty(reason))
		return err_set(err, code, "Error from server: %s", message);
	return err_set(err, code, "Error from server (%s): %s", reason, message);
}

/* One line per cause would be kubectl's way; ours stay on one line, as every message does. */
static int set_invalid(struct err *err, const json *details)
{
	const char *name = json_get_text(details, "name");
	AUTO_BUF causes = BUF_INIT(sizeof(err->message));
	json_for_each (cause, json_get(details, "causes")) {
		const char *field = json_get_text(cause, "field");
		const char *message = json_get_text(cause, "message");
		buf_addf(&causes, "%s%s%s%s", causes.length > 0 ? "; " : "",
			field != NULL ? field : "", str_empty(field) ? "" : ": ",
			message != NULL ? message : "");
	}
	return err_set(err, ERR_INVALID, "The %s \"%s\" is invalid: %s",
		json_get_text(details, "kind"), name != NULL ? name : "", buf_text(&causes));
}

static int set_from_status(int http_status, const json *status, struct err *err)
{
	const char *reason = json_get_text(status, "reason");
	const char *message = json_get_text(status, "message");
	const json *details = json_get(status, "details");
	int code = code_of(http_status, reason);
	if (str_equal(reason, "Invalid") && !str_empty(json_get_text(details, "kind")) &&
		json_count(json_get(details, "causes")) > 0)
		return set_invalid(err, details);
	return set_server_error(
		err, code, reason, message != NULL ? message : "the server gave no message");
}

/* The first line of what a proxy said, where that is text for people. */
static char *first_line(const char *body, size_t length)
{
	size_t end = 0;
	while (end < length && end < TEXT_MAXIMUM && body[end] != '\n' && body[end] != '\r' &&
		body[end] != '\0')
		end++;
	bool markup = end > 0 && (body[0] == '<' || body[0] == '{');
	return end == 0 || markup ? NULL : mem_strndup(body, end);
}

static int set_generic(int http_status, const char *body, size_t length, struct err *err)
{
	/* "404 page not found" says nothing that the generic message does not. */
	AUTO_STRING said = http_status == 404 ? NULL : first_line(body, length);
	int code = code_of(http_status, NULL);
	if (http_status == 401)
		return set_server_error(err, code, "Unauthorized", NULL);
	for (size_t i = 0; i < COUNT_OF(GENERIC); i++) {
		if (GENERIC[i].http_status != http_status)
			continue;
		AUTO_STRING message = mem_format("%s%s%s", GENERIC[i].message,
			said != NULL ? ": " : "", said != NULL ? said : "");
		return set_server_error(err, code, GENERIC[i].reason, message);
	}
	AUTO_STRING message = mem_format("the server answered with the HTTP status %d%s%s",
		http_status, said != NULL ? ": " : "", said != NULL ? said : "");
	return set_server_error(
		err, code, http_status >= 500 ? "InternalError" : "Unknown", message);
}

int status_error(int http_status, const char *body, size_t length, struct err *err)
{
	AUTO_JSON status = NULL;
	if (length > 0 && json_parse(body, length, &status, NULL) == 0 &&
		str_equal(json_get_text(status, "kind"), "Status"))
		return set_from_status(http_status, status, err);
	return set_generic(http_status, body, length, err);
}

int status_object_error(const json *status, struct err *err)
{
	int code = (int)json_get_integer(status, "code", 0);
	return code >= 400 ? set_from_status(code, status, err)
			   : set_server_error(err, ERR_UNAVAILABLE, "InternalError",
				     "the server ended a watch with an error of no kind");
}

/* The end of "Error from server (Reason): " or "Error from server: " in text; NULL where the text
 * does not begin so. */
static const char *after_server_prefix(const char *text)
{
	static const char SERVER[] = "Error from server";
	if (!str_starts(text, SERVER))
		return NULL;
	const char *rest = text + strlen(SERVER);
	if (str_starts(rest, " (")) {
		rest = strchr(rest, ')');
		if (rest == NULL)
			return NULL;
		rest++;
	}
	return str_starts(rest, ": ") ? rest + 2 : NULL;
}

char *status_display(const char *message)
{
	static const char *const COMPLETE[] = {"Error from server", "The connection to the server ",
		"Unable to connect to the server: ", "The server "};
	const char *prefix = strstr(message, ": Error from server");
	if (prefix != NULL) {
		const char *rest = after_server_prefix(prefix + 2);
		if (rest != NULL)
			return mem_format("%.*s%.*s: %s", (int)(rest - prefix - 2), prefix + 2,
				(int)(prefix - message), message, rest);
	}
	for (size_t i = 0; i < COUNT_OF(COMPLETE); i++)
		if (str_starts(message, COMPLETE[i]))
			return mem_strdup(message);
	/* Validation: The KIND "NAME" is invalid: … */
	if (str_starts(message, "The ") && strstr(message, "\" is invalid: ") != NULL)
		return mem_strdup(message);
	return mem_format("error: %s", message);
}
