#include "sim/crowd.h"

#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE ((size_t)8 << 20)
#else
#define STACK_SIZE ((size_t)2 << 20)
#endif
#define GUARD_SIZE ((size_t)64 << 10) /* who needs more stack fails here, not in another's data */

struct member {
	ucontext_t context;
	void *argument;
	bool ended;
	int64_t wake_at;
	bool looking; /* wakes up whenever something happens, too */
	bool roused;  /* something has */
};

struct crowd {
	struct sim *sim;
	void (*work)(void *context);
	struct member members[CROWD_MAXIMUM];
	size_t count;
	struct member *running; /* NULL: whoever called */
	ucontext_t caller;
	bool escaping;
	const void *caller_stack;
	size_t caller_stack_size;
};

/* Kept from one crowd to the next. */
static void *stacks[CROWD_MAXIMUM];

static void *stack_of(size_t index)
{
	if (stacks[index] == NULL) {
		char *memory = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
		if (memory == MAP_FAILED || mprotect(memory, GUARD_SIZE, PROT_NONE) != 0)
			abort();
		stacks[index] = memory + GUARD_SIZE;
	}
	return stacks[index];
}

/* --- switching ------------------------------------------------------------------------------ */

/* ASan must know on which stack the program is; and that nothing is left on one of whoever was
 * there before, and never returned. */
#ifdef __SANITIZE_ADDRESS__
static void clear(const void *stack)
{
	ASAN_UNPOISON_MEMORY_REGION(stack, STACK_SIZE);
}

static void announce(struct crowd *crowd, const struct member *to, void **ret_fake)
{
	const void *stack = crowd->caller_stack;
	size_t size = crowd->caller_stack_size;
	if (to != NULL) {
		stack = stack_of((size_t)(to - crowd->members));
		size = STACK_SIZE;
	}
	__sanitizer_start_switch_fiber(ret_fake, stack, size);
}

static void arrive(struct crowd *crowd, void *fake, bool from_caller)
{
	if (from_caller)
		__sanitizer_finish_switch_fiber(
			fake, &crowd->caller_stack, &crowd->caller_stack_size);
	else
		__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}
#else
static void clear(const void *stack)
{
	(void)stack;
}

static void announce(struct crowd *crowd, const struct member *to, void **ret_fake)
{
	(void)crowd;
	(void)to;
	*ret_fake = NULL;
}

static void arrive(struct crowd *crowd, void *fake, bool from_caller)
{
	(void)crowd;
	(void)fake;
	(void)from_caller;
}
#endif

static ucontext_t *context_of(struct crowd *crowd, struct member *member)
{
	return member == NULL ? &crowd->caller : &member->context;
}

static void switch_to(struct crowd *crowd, struct member *to)
{
	struct member *from = crowd->running;
	void *fake = NULL;
	if (to == from)
		return;
	crowd->running = to;
	announce(crowd, to, &fake);
	(void)swapcontext(context_of(crowd, from), context_of(crowd, to));
	arrive(crowd, fake, false);
}

/* --- who goes on ---------------------------------------------------------------------------- */

static bool is_awake(const struct crowd *crowd, const struct member *member)
{
	return !member->ended && (member->roused || member->wake_at <= crowd->sim->now_ms);
}

/* One of those who have something to do; NULL when all wait. */
static struct member *choose(struct crowd *crowd)
{
	struct member *awake[CROWD_MAXIMUM];
	size_t count = 0;
	for (size_t i = 0; i < crowd->count; i++)
		if (is_awake(crowd, &crowd->members[i]))
			awake[count++] = &crowd->members[i];
	return count == 0 ? NULL : awake[sim_random(crowd->sim, count)];
}

static int64_t first_to_wake(const struct crowd *crowd)
{
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < crowd->count; i++)
		if (!crowd->members[i].ended && crowd->members[i].wake_at < first)
			first = crowd->members[i].wake_at;
	return first;
}

/* The cluster works, or time passes, until somebody has something to do; that one goes on. */
static void go_on(struct crowd *crowd)
{
	struct member *next = NULL;
	while ((next = choose(crowd)) == NULL) {
		sim_advance(crowd->sim, first_to_wake(crowd));
		for (size_t i = 0; i < crowd->count; i++)
			crowd->members[i].roused = crowd->members[i].looking;
	}
	switch_to(crowd, next);
}

static bool all_have_ended(const struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++)
		if (!crowd->members[i].ended)
			return false;
	return true;
}

void crowd_pass(struct sim *sim)
{
	struct crowd *crowd = sim->crowd;
	if (crowd != NULL && sim_random(sim, 3) == 0)
		go_on(crowd);
}

void crowd_wait(struct sim *sim, int64_t until, bool looking)
{
	struct crowd *crowd = sim->crowd;
	if (crowd == NULL) {
		sim_advance(sim, until);
		return;
	}
	struct member *self = crowd->running;
	self->wake_at = until;
	self->looking = looking;
	self->roused = false;
	go_on(crowd);
	self->looking = self->roused = false;
	self->wake_at = 0;
}

/* --- from begin to end ---------------------------------------------------------------------- */

static struct crowd *starting;

static void begin(void)
{
	struct crowd *crowd = starting;
	struct member *self = crowd->running;
	arrive(crowd, NULL, crowd->caller_stack == NULL);
	crowd->work(self->argument);
	self->ended = true;
	if (all_have_ended(crowd))
		switch_to(crowd, NULL);
	else
		go_on(crowd);
	abort(); /* nobody comes back here */
}

void crowd_run(struct sim *sim, void (*work)(void *context), void *const *contexts, size_t count)
{
	if (count == 1) {
		work(contexts[0]);
		return;
	}
	struct crowd *crowd = mem_alloc(1, sizeof(*crowd));
	crowd->sim = sim;
	crowd->work = work;
	crowd->count = count;
	for (size_t i = 0; i < count; i++) {
		struct member *member = &crowd->members[i];
		member->argument = contexts[i];
		(void)getcontext(&member->context);
		clear(stack_of(i));
		member->context.uc_stack.ss_sp = stack_of(i);
		member->context.uc_stack.ss_size = STACK_SIZE;
		makecontext(&member->context, begin, 0);
	}
	sim->crowd = starting = crowd;
	switch_to(crowd, choose(crowd));
	sim->crowd = NULL;
	bool escaping = crowd->escaping;
	free(crowd);
	if (escaping)
		longjmp(*sim->escape, 1);
}

void crowd_escape(const struct sim *sim)
{
	if (sim->crowd != NULL) {
		sim->crowd->escaping = true;
		switch_to(sim->crowd, NULL);
	}
	longjmp(*sim->escape, 1);
}
