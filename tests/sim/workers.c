/* Random releases on all processors: one process for each, with every n-th seed. */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "sim/chance.h"

#define WORKERS_MAXIMUM 64
/* After so many failures there is enough to look at. */
#define FAILURES_MAXIMUM 20
/* So many seeds of a hundred may make plans that `start` refuses: they play no release. */
#define REFUSED_PERCENT 7
/* Of few seeds, that says nothing. */
#define SEEDS_TO_JUDGE 10000
/* A release takes some milliseconds. */
#define ENDLESS_SECONDS 60

/* What the workers and their parent share. */
struct board {
	atomic_uint_fast64_t outcomes[OUTCOME_COUNT], failed;
	atomic_uint_fast64_t seeds[WORKERS_MAXIMUM]; /* that each plays now */
};

static void tell(struct board *board, uint64_t seed)
{
	(void)fprintf(stderr, "  again: make sim SEED=%" PRIu64 " SEEDS=1 SIM_TRACE=1\n", seed);
	atomic_fetch_add(&board->failed, 1);
}

/* What a release that failed has allocated is lost. */
static void play_one(struct board *board, uint64_t seed)
{
	jmp_buf escape;
	/* Ends the process, should the release not end; whoever looks at a trace has time. */
	if (getenv("SIM_TRACE") == NULL)
		(void)alarm(ENDLESS_SECONDS);
	if (setjmp(escape) == 0)
		atomic_fetch_add(&board->outcomes[play_release(seed, &escape)], 1);
	else
		tell(board, seed);
}

static void work(struct board *board, size_t worker, size_t workers, uint64_t first, uint64_t count)
{
	for (uint64_t i = worker; i < count; i += workers) {
		if (atomic_load(&board->failed) >= FAILURES_MAXIMUM)
			break;
		atomic_store(&board->seeds[worker], first + i);
		play_one(board, first + i);
	}
	(void)fflush(NULL);
	_exit(0);
}

static struct board *new_board(void)
{
	struct board *board = mmap(
		NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		abort();
	return board;
}

static double seconds_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* False where too few of the seeds have played a release. */
static bool report(const struct board *board, double seconds)
{
	static const char *const NAMES[OUTCOME_COUNT] = {
		[OUTCOME_COMPLETED] = "completed",
		[OUTCOME_ABORTED] = "aborted",
		[OUTCOME_UNDONE] = "completed and then aborted",
	};
	uint64_t refused = atomic_load(&board->outcomes[OUTCOME_REFUSED]);
	uint64_t played = atomic_load(&board->failed);
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		played += i == OUTCOME_REFUSED ? 0 : atomic_load(&board->outcomes[i]);
	(void)printf("%" PRIu64 " random releases in %.1f s:", played, seconds);
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		if (i != OUTCOME_REFUSED)
			(void)printf(
				" %" PRIuFAST64 " %s,", atomic_load(&board->outcomes[i]), NAMES[i]);
	(void)printf(" %" PRIuFAST64 " failed; %" PRIu64 " plans were refused\n",
		atomic_load(&board->failed), refused);
	uint64_t seeds = played + refused;
	bool enough = seeds < SEEDS_TO_JUDGE || refused * 100 <= seeds * REFUSED_PERCENT;
	if (!enough)
		(void)fprintf(stderr, "more than %d of 100 plans were refused\n", REFUSED_PERCENT);
	return enough;
}

uint64_t play_releases(uint64_t first, uint64_t count)
{
	struct board *board = new_board();
	double begun = seconds_now();
	size_t workers = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (workers > WORKERS_MAXIMUM)
		workers = WORKERS_MAXIMUM;
	if (workers > count)
		workers = count;
	pid_t pids[WORKERS_MAXIMUM];
	(void)fflush(NULL);
	for (size_t i = 0; i < workers; i++)
		if ((pids[i] = fork()) == 0)
			work(board, i, workers, first, count);
	for (size_t i = 0; i < workers; i++) {
		int status = 0;
		if (pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0)
			continue;
		bool endless = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
		(void)fprintf(stderr, "seed %" PRIuFAST64 ": the process %s (status %d)\n",
			atomic_load(&board->seeds[i]),
			endless ? "was not done with it in time" : "ended", status);
		tell(board, atomic_load(&board->seeds[i]));
	}
	uint64_t failed = report(board, seconds_now() - begun) ? 0 : 1;
	failed += atomic_load(&board->failed);
	(void)munmap(board, sizeof(*board));
	return failed;
}
