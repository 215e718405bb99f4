#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Writes from an offset on; what is too long is cut. */
__attribute__((format(printf, 3, 0))) static void append(
	struct err *err, size_t offset, const char *format, va_list arguments)
{
	(void)vsnprintf(err->message + offset, sizeof(err->message) - offset, format, arguments);
}

static void append_reason(struct err *err, const char *reason)
{
	size_t used = strlen(err->message);
	for (const char *p = ": "; *p != '\0' && used < sizeof(err->message) - 1; p++)
		err->message[used++] = *p;
	for (; *reason != '\0' && used < sizeof(err->message) - 1; reason++)
		err->message[used++] = *reason;
	err->message[used] = '\0';
}

int err_set(struct err *err, int code, const char *format, ...)
{
	if (err == NULL)
		return code;
	va_list arguments;
	va_start(arguments, format);
	append(err, 0, format, arguments);
	va_end(arguments);
	err->code = code;
	return code;
}

int err_wrap(struct err *err, const char *format, ...)
{
	if (err == NULL)
		return ERR_FAILED;
	AUTO_STRING inner = mem_strdup(err->message);
	va_list arguments;
	va_start(arguments, format);
	append(err, 0, format, arguments);
	va_end(arguments);
	append_reason(err, inner);
	return err->code;
}

int err_errno(struct err *err, int code, int errnum, const char *format, ...)
{
	if (err == NULL)
		return code;
	va_list arguments;
	va_start(arguments, format);
	append(err, 0, format, arguments);
	va_end(arguments);
	char reason[128];
	append_reason(err, strerror_r(errnum, reason, sizeof(reason)));
	err->code = code;
	return code;
}
