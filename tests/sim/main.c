/*
 * The tests of whole releases in the simulated cluster. SIM_TEST names those to run (with * and ?).
 * `sim chance FIRST COUNT` plays random releases only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/chance.h"
#include "sim/pool.h"
#include "sim/scenarios.h"

/* As many as leave a development build quick; `make sim` plays more. */
#ifdef __SANITIZE_ADDRESS__
#define RANDOM_RELEASES 300
#else
#define RANDOM_RELEASES 5000
#endif

static void random_releases_end_well(void **state)
{
	(void)state;
	assert_int_equal(play_releases(first_seed(), seed_count(RANDOM_RELEASES)), 0);
}

int main(int argc, char **argv)
{
	pool_install();
	if (argc == 4 && strcmp(argv[1], "chance") == 0)
		return play_releases(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10)) != 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_releases_end_completed),
		cmocka_unit_test(whole_releases_end_aborted),
		cmocka_unit_test(completed_releases_are_undone),
		cmocka_unit_test(death_after_each_write_is_recovered),
		cmocka_unit_test(death_before_each_write_is_recovered),
		cmocka_unit_test(unanswered_writes_are_repeated),
		cmocka_unit_test(lost_records_are_made_again),
		cmocka_unit_test(pods_that_do_not_start_time_out),
		cmocka_unit_test(second_holder_is_refused),
		cmocka_unit_test(holder_renews_while_it_waits),
		cmocka_unit_test(abort_takes_over_at_any_time),
		cmocka_unit_test(scaled_stable_is_refused),
		cmocka_unit_test(abort_keeps_a_wish_for_more_pods),
		cmocka_unit_test(edited_template_is_refused_and_kept),
		cmocka_unit_test(edited_copy_is_refused),
		cmocka_unit_test(pods_of_an_edit_that_was_taken_back_are_not_handed_over),
		cmocka_unit_test(deleted_stable_is_made_again_by_abort),
		cmocka_unit_test(changed_since_its_end_is_not_aborted),
		cmocka_unit_test(edited_route_is_refused),
		cmocka_unit_test(edits_elsewhere_are_kept),
		cmocka_unit_test(edited_httproute_is_refused),
		cmocka_unit_test(edited_version_service_is_refused),
		cmocka_unit_test(edits_of_httproutes_elsewhere_are_kept),
		cmocka_unit_test(ended_releases_stay_ended),
		cmocka_unit_test(completed_releases_can_be_aborted),
		cmocka_unit_test(scaled_back_again_is_not_fought),
		cmocka_unit_test(thawed_again_is_not_fought),
		cmocka_unit_test(made_again_in_a_swap_is_not_fought),
		cmocka_unit_test(autoscalers_scale_nothing_in_a_release),
		cmocka_unit_test(edits_of_autoscalers_are_kept),
		cmocka_unit_test(applied_autoscalers_are_frozen_again),
		cmocka_unit_test(edited_autoscaler_is_refused),
		cmocka_unit_test(abort_does_not_wait_for_an_edited_autoscaler),
		cmocka_unit_test(scaled_right_before_it_is_frozen),
		cmocka_unit_test(ignored_autoscalers_go_on),
		cmocka_unit_test(autoscalers_that_were_given_back_may_want_fewer),
		cmocka_unit_test(pods_of_others_are_not_waited_for),
		cmocka_unit_test(abort_of_a_swap_keeps_what_was_scaled_up),
		cmocka_unit_test(records_deleted_at_any_time_are_reported),
		cmocka_unit_test(record_deleted_while_its_holder_is_watched),
		cmocka_unit_test(history_limit_is_given_back_after_a_resume),
		cmocka_unit_test(history_has_room_under_another_pause),
		cmocka_unit_test(changes_made_again_settle_again),
		cmocka_unit_test(held_copy_is_scaled_up_again),
		cmocka_unit_test(random_releases_end_well),
		cmocka_unit_test(deleted_configuration_is_reported),
		cmocka_unit_test(configuration_that_an_edit_needs_stays),
	};
	if (getenv("SIM_TEST") != NULL)
		cmocka_set_test_filter(getenv("SIM_TEST"));
	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
