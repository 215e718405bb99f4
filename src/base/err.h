/*
 * Errors: what went wrong, in words for the person at the terminal.
 *
 * Every function that can fail returns 0 or a negative code (enum err_code), and takes a
 * `struct err *` as its last argument, which it fills. On success the struct is not touched. Each
 * layer adds its context once, in front: `err_wrap(err, "reading %s", path)` makes
 * "reading FILE: no such file". A NULL err is allowed everywhere: the code alone is wanted then.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* What kind of failure it is, as far as anybody decides by it. Negative, so that a function that
 * returns a count or a truth can return a code as well. */
enum err_code {
	ERR_FAILED = -1,       /* anything that has no kind of its own */
	ERR_USAGE = -2,	       /* the command line is wrong */
	ERR_NOT_FOUND = -3,    /* the API object does not exist (404) */
	ERR_CONFLICT = -4,     /* somebody else wrote first (409): observe again */
	ERR_EXISTS = -5,       /* create of an object that is there (409 AlreadyExists) */
	ERR_FORBIDDEN = -6,    /* RBAC or authentication says no (401, 403) */
	ERR_INVALID = -7,      /* the API server or its admission refuses the object (400, 422) */
	ERR_EXPIRED = -8,      /* the watch is too old (410): list again */
	ERR_UNAVAILABLE = -9,  /* network, 429, 5xx: the same may work later */
	ERR_INTERRUPTED = -10, /* Ctrl-C or SIGTERM */
	ERR_TIMED_OUT = -11,   /* the deadline of a wait has passed */
	ERR_BUSY = -12,	       /* somebody else is driving this release */
	ERR_FOREIGN = -13,     /* somebody else changed a field that we manage */
	ERR_RELEASE = -14,     /* a gate or the release failed */
};

struct err {
	int code;
	char message[2048]; /* UTF-8, no newline at the end; longer text is cut */
};

/* Sets code and message. Returns code, so that `return err_set(err, ERR_FAILED, …)` reads well. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message and returns the code that err has. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Like err_set, and appends ": " and strerror(errnum). */
int err_errno(struct err *err, int code, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
