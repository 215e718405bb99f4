/* One process after the other, each of which must end in a certain way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/scenarios.h"

static void check_end(
	const struct client *client, const char *verb, int code, int expected, const char *text)
{
	const char *message = client->err.message;
	if (code != expected)
		sim_fail(
			client->sim, "%sreturned %d and not %d: %s", verb, code, expected, message);
	if (text != NULL && strstr(message, text) == NULL)
		sim_fail(client->sim, "\"%s\" does not say \"%s\"", message, text);
}

void must_run(struct sim *sim, verb_function *verb, int expected, const char *text)
{
	CLEANUP(client_release) struct client client;
	client_init(&client, sim, "two");
	check_end(&client, "", verb(&client), expected, text);
}

void must_start(struct sim *sim, const struct setting *setting, int expected, const char *text)
{
	CLEANUP(client_release) struct client client;
	struct start_options options = world_options(setting);
	client_init(&client, sim, "one");
	check_end(&client, "start ", run_start(&client, &options), expected, text);
}
