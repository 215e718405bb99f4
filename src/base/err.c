#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* What is too long is cut. The arguments may be the message that there was. */
__attribute__((format(printf, 2, 0))) static void write_message(
	struct err *err, const char *format, va_list arguments)
{
	char message[sizeof(err->message)];
	(void)vsnprintf(message, sizeof(message), format, arguments);
	memcpy(err->message, message, sizeof(message));
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
	write_message(err, format, arguments);
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
	write_message(err, format, arguments);
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
	write_message(err, format, arguments);
	va_end(arguments);
	char reason[128];
	append_reason(err, strerror_r(errnum, reason, sizeof(reason)));
	err->code = code;
	return code;
}
