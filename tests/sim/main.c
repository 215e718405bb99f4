/* The tests of whole releases in the simulated cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/scenarios.h"

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_releases_end_completed),
		cmocka_unit_test(whole_releases_end_aborted),
		cmocka_unit_test(death_after_each_write_is_recovered),
		cmocka_unit_test(death_before_each_write_is_recovered),
		cmocka_unit_test(unanswered_writes_are_repeated),
		cmocka_unit_test(pods_that_do_not_start_time_out),
		cmocka_unit_test(second_holder_is_refused),
		cmocka_unit_test(holder_renews_while_it_waits),
		cmocka_unit_test(abort_takes_over_at_any_time),
		cmocka_unit_test(scaled_stable_is_refused),
		cmocka_unit_test(abort_keeps_a_wish_for_more_pods),
		cmocka_unit_test(edited_template_is_refused_and_kept),
		cmocka_unit_test(edited_route_is_refused),
		cmocka_unit_test(edits_elsewhere_are_kept),
		cmocka_unit_test(edited_httproute_is_refused),
		cmocka_unit_test(edited_version_service_is_refused),
		cmocka_unit_test(edits_of_httproutes_elsewhere_are_kept),
		cmocka_unit_test(ended_releases_stay_ended),
		cmocka_unit_test(completed_releases_can_be_aborted),
		cmocka_unit_test(deleted_configuration_is_reported),
		cmocka_unit_test(configuration_that_an_edit_needs_stays),
	};
	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
