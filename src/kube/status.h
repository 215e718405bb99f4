/*
 * What an API server answers when it does not do what was asked, in kubectl's words.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 *
 * The messages are complete, as kubectl prints them: "Error from server (Reason): …", or for a
 * validation "The Deployment "web" is invalid: …". They take no "error: " in front; where err_wrap
 * has put context before them, status_display brings the parts into kubectl's order.
 */
#ifndef KUBE_STATUS_H
#define KUBE_STATUS_H

#include <stddef.h>

#include "base/err.h"
#include "data/json.h"

/* Sets err from an answer with an HTTP status of 400 or more. The body is a Status object, or
 * anything a proxy may have put there. Returns the code:
 * 401, 403 ERR_FORBIDDEN · 404 ERR_NOT_FOUND · 409 ERR_EXISTS (AlreadyExists) or ERR_CONFLICT ·
 * 410 ERR_EXPIRED · 408, 429, 5xx ERR_UNAVAILABLE · other 4xx ERR_INVALID · else ERR_FAILED. */
int status_error(int http_status, const char *body, size_t length, struct err *err);

/* The same for a Status object that came in a watch. */
int status_object_error(const json *status, struct err *err);

/* The line for the terminal of an error's message: with "error: " in front where kubectl has it,
 * and with "Error from server (Reason): " moved to the front of the context. The caller frees. */
char *status_display(const char *message);

#endif
