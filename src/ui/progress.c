#include "ui/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "ui/escape.h"

#define BAR_MAXIMUM 20
#define BAR_MINIMUM 4 /* a shorter one says nothing */

struct progress progress_new(FILE *out, const char *term, const char *no_color)
{
	bool terminal = isatty(fileno(out)) == 1 && !str_empty(term) && !str_equal(term, "dumb");
	return (struct progress){
		.out = out, .live = terminal, .color = terminal && str_empty(no_color)};
}

void progress_release(struct progress *progress)
{
	progress_clear(progress);
	free(progress->last);
	progress->last = NULL;
}

void progress_clear(struct progress *progress)
{
	if (progress->drawn > 0)
		(void)fprintf(progress->out, "\x1b[%dA\x1b[J", progress->drawn);
	progress->drawn = 0;
	(void)fflush(progress->out);
}

static size_t terminal_width(const struct progress *progress)
{
	struct winsize size;
	if (ioctl(fileno(progress->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

static void add_bar(struct buf *buf, int ready, int replicas, int width)
{
	int filled = replicas > 0 ? width * ready / replicas : 0;
	if (filled > width)
		filled = width;
	buf_add_char(buf, '[');
	for (int i = 0; i < width; i++)
		buf_add_char(buf, i < filled ? '#' : '.');
	buf_add_char(buf, ']');
}

/* The columns of the live lines: as wide as they need to be, and the bar has the rest. */
struct columns {
	int name, version, bar;
};

static int widest(int width, const char *text)
{
	AUTO_STRING escaped = escape_text(text);
	int length = (int)strlen(escaped);
	return length > width ? length : width;
}

static struct columns lay_out(
	const struct progress_version *versions, size_t count, size_t terminal_width)
{
	static const char REST[] = "stable     [] 1000/1000 ready  100% of requests";
	struct columns columns = {0};
	for (size_t i = 0; i < count; i++) {
		if (versions[i].name == NULL)
			continue;
		columns.name = widest(columns.name, versions[i].name);
		columns.version = widest(columns.version, versions[i].version);
	}
	int left = (int)terminal_width - (int)sizeof(REST) - columns.name - columns.version;
	columns.bar = left < BAR_MINIMUM ? 0 : left < BAR_MAXIMUM ? left : BAR_MAXIMUM;
	return columns;
}

/* One line without colours, so that it can be cut to the terminal's width. */
static char *live_line(const struct progress_version *version, struct columns columns)
{
	struct buf line = BUF_INIT(BUF_OWN_TEXT);
	AUTO_STRING name = escape_text(version->name);
	AUTO_STRING label = escape_text(version->version);
	buf_addf(&line, "%-7s %-*s %-*s ", version->role, columns.name, name, columns.version,
		label);
	if (columns.bar > 0)
		add_bar(&line, version->ready, version->replicas, columns.bar);
	buf_addf(&line, " %3d/%d ready  %3d%% of requests", version->ready, version->replicas,
		version->weight);
	return buf_take(&line);
}

static void draw(struct progress *progress, const char *text, const char *color)
{
	size_t width = terminal_width(progress);
	(void)fprintf(progress->out, "%s%.*s%s\n", progress->color ? color : "", (int)width - 1,
		text, progress->color ? "\x1b[0m" : "");
	progress->drawn++;
}

static void show_live(struct progress *progress, const struct progress_version *versions,
	size_t count, const char *waiting_for)
{
	struct columns columns = lay_out(versions, count, terminal_width(progress));
	progress_clear(progress);
	for (size_t i = 0; i < count; i++) {
		if (versions[i].name == NULL)
			continue;
		AUTO_STRING line = live_line(&versions[i], columns);
		bool complete = versions[i].ready >= versions[i].replicas;
		draw(progress, line, complete ? "\x1b[32m" : "\x1b[33m");
	}
	AUTO_STRING escaped = escape_text(waiting_for);
	AUTO_STRING line = mem_format("waiting until %s", escaped);
	draw(progress, line, "\x1b[2m");
	(void)fflush(progress->out);
}

static void show_plain(struct progress *progress, const char *text)
{
	(void)fprintf(progress->out, "%s\n", text);
	(void)fflush(progress->out);
}

/* Everything that is shown, in one line. */
static char *plain_line(
	const struct progress_version *versions, size_t count, const char *waiting_for)
{
	struct buf line = BUF_INIT(BUF_OWN_TEXT);
	AUTO_STRING escaped = escape_text(waiting_for);
	buf_addf(&line, "waiting until %s", escaped);
	for (size_t i = 0; i < count; i++) {
		if (versions[i].name == NULL)
			continue;
		AUTO_STRING name = escape_text(versions[i].name);
		buf_addf(&line, "; %s %s %d/%d ready", versions[i].role, name, versions[i].ready,
			versions[i].replicas);
	}
	return buf_take(&line);
}

void progress_show(struct progress *progress, const struct progress_version *versions, size_t count,
	const char *waiting_for)
{
	char *line = plain_line(versions, count, waiting_for);
	/* Most events of a watch change nothing that is seen here. */
	bool unchanged =
		str_equal(line, progress->last) && (!progress->live || progress->drawn > 0);
	free(progress->last);
	progress->last = line;
	if (unchanged)
		return;
	if (progress->live)
		show_live(progress, versions, count, waiting_for);
	else
		show_plain(progress, line);
}

void progress_print(struct progress *progress, FILE *out, const char *line)
{
	progress_clear(progress);
	AUTO_STRING escaped = escape_text(line);
	(void)fprintf(out, "%s\n", escaped);
	(void)fflush(out);
}
