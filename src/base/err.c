#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
	if (err == NULL)
		return code;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	err->code = code;
	return code;
}

int err_wrap(struct err *err, const char *format, ...)
{
	if (err == NULL)
		return ERR_FAILED;
	char inner[sizeof(err->message)];
	memcpy(inner, err->message, sizeof(inner));
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(err->message))
		(void)snprintf(err->message + length, sizeof(err->message) - (size_t)length, ": %s",
			inner);
	return err->code;
}

int err_errno(struct err *err, int code, int errnum, const char *format, ...)
{
	if (err == NULL)
		return code;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(err->message)) {
		char reason[128];
		(void)snprintf(err->message + length, sizeof(err->message) - (size_t)length, ": %s",
			strerror_r(errnum, reason, sizeof(reason)));
	}
	err->code = code;
	return code;
}
