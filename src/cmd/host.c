#include "cmd/host.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

static int64_t monotonic_ms(void *context)
{
	(void)context;
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wall_time(void *context, char ret[32])
{
	(void)context;
	time_t now = time(NULL);
	struct tm broken;
	(void)gmtime_r(&now, &broken);
	(void)strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &broken);
}

static int host_sleep(void *context, int64_t ms, struct err *err)
{
	const volatile sig_atomic_t *interrupted = context;
	int64_t end = monotonic_ms(NULL) + ms;
	for (int64_t left = ms; left > 0 && !*interrupted; left = end - monotonic_ms(NULL)) {
		/* In slices: a signal may come between the look at the flag and the sleep. */
		int64_t slice = left < 100 ? left : 100;
		struct timespec request = {.tv_nsec = slice * 1000000};
		if (nanosleep(&request, NULL) != 0 && errno != EINTR)
			return err_errno(err, ERR_FAILED, errno, "sleep");
	}
	return *interrupted ? err_set(err, ERR_INTERRUPTED, "interrupted") : 0;
}

/* The first line of a file in /proc; "" where there is none (other systems than Linux). */
static void read_line(const char *path, char *ret, size_t size)
{
	AUTO_BUF content = BUF_INIT(0);
	ret[0] = '\0';
	if (file_read(path, 65536, &content, NULL) != 0)
		return;
	(void)snprintf(
		ret, size, "%.*s", (int)strcspn(buf_text(&content), "\n"), buf_text(&content));
}

/* A boot of a kernel and a process namespace in it: only there does a process id mean anything. */
static void name_machine(char *ret, size_t size)
{
	char boot[64], namespace[32] = "";
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	ssize_t length = readlink("/proc/self/ns/pid", namespace, sizeof(namespace) - 1);
	if (boot[0] == '\0' || length <= 0)
		ret[0] = '\0';
	else
		(void)snprintf(ret, size, "%s/%s", boot, namespace);
}

/* The id and the start time (field 22 of proc_pid_stat(5)): ids are used again. */
static void name_process(pid_t pid, char *ret, size_t size)
{
	char path[64], line[1024];
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_line(path, line, sizeof(line));
	/* The second field is the program's name in parentheses, and may hold anything. */
	const char *field = strrchr(line, ')');
	/* One that has ended and that nobody has waited for (field 3) does nothing any more. */
	if (field != NULL && (str_starts(field, ") Z") || str_starts(field, ") X")))
		field = NULL;
	for (int i = 2; field != NULL && i < 22; i++) {
		field = strchr(field, ' ');
		field = field == NULL ? NULL : field + 1;
	}
	if (field == NULL)
		ret[0] = '\0';
	else
		(void)snprintf(ret, size, "%d/%.*s", (int)pid, (int)strcspn(field, " "), field);
}

static int is_alive(void *context, const char *machine, const char *process)
{
	(void)context;
	char here[96], now[48];
	name_machine(here, sizeof(here));
	if (here[0] == '\0' || !str_equal(here, machine) || process[0] == '\0')
		return -1;
	name_process((pid_t)strtol(process, NULL, 10), now, sizeof(now));
	return str_equal(now, process);
}

static void clear_interrupt(void *context)
{
	volatile sig_atomic_t *interrupted = context;
	*interrupted = 0;
}

void host_name_self(struct holder *holder)
{
	unsigned char random[16];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(holder->id + 2 * i, 3, "%02x", random[i]);
	char host[64] = "unknown";
	(void)gethostname(host, sizeof(host) - 1);
	const struct passwd *user = getpwuid(geteuid());
	(void)snprintf(holder->user, sizeof(holder->user), "%.60s@%.60s",
		user == NULL ? "unknown" : user->pw_name, host);
	name_machine(holder->machine, sizeof(holder->machine));
	name_process(getpid(), holder->process, sizeof(holder->process));
}

struct host_port host_port_new(volatile sig_atomic_t *interrupted)
{
	return (struct host_port){
		.context = (void *)(uintptr_t)interrupted,
		.monotonic_ms = monotonic_ms,
		.wall_time = wall_time,
		.sleep = host_sleep,
		.is_alive = is_alive,
		.clear_interrupt = clear_interrupt,
	};
}
