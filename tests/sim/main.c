/* The tests of whole releases in the simulated cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/scenarios.h"

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_releases_end_completed),
		cmocka_unit_test(whole_releases_end_aborted),
		cmocka_unit_test(death_at_each_write_is_recovered),
		cmocka_unit_test(unanswered_writes_are_repeated),
	};
	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
