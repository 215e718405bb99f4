/* The tests, by file. */
#ifndef SIM_SCENARIOS_H
#define SIM_SCENARIOS_H

#include "sim/world.h"

/* How many seeds to play: SIM_SEEDS, or the number given; from SIM_SEED or 1. */
uint64_t first_seed(void);
uint64_t seed_count(uint64_t usual);

/* verbs.c: one process that must end so. text (may be NULL) must be in the error. */
typedef int verb_function(struct client *client);
void must_run(struct sim *sim, verb_function *verb, int expected, const char *text);
void must_start(struct sim *sim, const struct setting *setting, int expected, const char *text);

/* releases.c */
void whole_releases_end_completed(void **state);
void whole_releases_end_aborted(void **state);
void completed_releases_are_undone(void **state);

/* cuts.c */
void death_after_each_write_is_recovered(void **state);
void death_before_each_write_is_recovered(void **state);
void unanswered_writes_are_repeated(void **state);

/* loss.c */
void lost_records_are_made_again(void **state);

/* trouble.c */
void pods_that_do_not_start_time_out(void **state);
void second_holder_is_refused(void **state);
void holder_renews_while_it_waits(void **state);
void abort_takes_over_at_any_time(void **state);
void scaled_stable_is_refused(void **state);
void abort_keeps_a_wish_for_more_pods(void **state);
void edited_template_is_refused_and_kept(void **state);
void edited_copy_is_refused(void **state);
void pods_of_an_edit_that_was_taken_back_are_not_handed_over(void **state);
void deleted_stable_is_made_again_by_abort(void **state);
void changed_since_its_end_is_not_aborted(void **state);
void edited_route_is_refused(void **state);
void edits_elsewhere_are_kept(void **state);
void edited_httproute_is_refused(void **state);
void edited_version_service_is_refused(void **state);
void edits_of_httproutes_elsewhere_are_kept(void **state);
void ended_releases_stay_ended(void **state);
void completed_releases_can_be_aborted(void **state);

/* synced.c */
void scaled_back_again_is_not_fought(void **state);
void thawed_again_is_not_fought(void **state);
void made_again_in_a_swap_is_not_fought(void **state);

/* autoscaled.c */
void autoscalers_scale_nothing_in_a_release(void **state);
void edits_of_autoscalers_are_kept(void **state);
void applied_autoscalers_are_frozen_again(void **state);
void edited_autoscaler_is_refused(void **state);
void abort_does_not_wait_for_an_edited_autoscaler(void **state);
void scaled_right_before_it_is_frozen(void **state);
void ignored_autoscalers_go_on(void **state);
void autoscalers_that_were_given_back_may_want_fewer(void **state);

/* rungs.c */
void pods_of_others_are_not_waited_for(void **state);
void abort_of_a_swap_keeps_what_was_scaled_up(void **state);
void records_deleted_at_any_time_are_reported(void **state);
void record_deleted_while_its_holder_is_watched(void **state);
void history_limit_is_given_back_after_a_resume(void **state);
void history_has_room_under_another_pause(void **state);
void changes_made_again_settle_again(void **state);
void held_copy_is_scaled_up_again(void **state);

/* configs.c */
void deleted_configuration_is_reported(void **state);
void configuration_that_an_edit_needs_stays(void **state);

#endif
