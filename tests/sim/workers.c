/* Random releases on all processors: one process for each, with every n-th seed. */
#include <inttypes.h>
#include <stdatomic.h>
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

static void report(const struct board *board, double seconds)
{
	static const char *const NAMES[OUTCOME_COUNT] = {
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_COMPLETED] = "completed",
		[OUTCOME_ABORTED] = "aborted",
		[OUTCOME_UNDONE] = "completed and then aborted",
	};
	(void)printf("random releases in %.1f s:", seconds);
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		(void)printf(" %" PRIuFAST64 " %s,", atomic_load(&board->outcomes[i]), NAMES[i]);
	(void)printf(" %" PRIuFAST64 " failed\n", atomic_load(&board->failed));
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
		(void)fprintf(stderr, "seed %" PRIuFAST64 ": the process ended with status %d\n",
			atomic_load(&board->seeds[i]), status);
		tell(board, atomic_load(&board->seeds[i]));
	}
	report(board, seconds_now() - begun);
	uint64_t failed = atomic_load(&board->failed);
	(void)munmap(board, sizeof(*board));
	return failed;
}
