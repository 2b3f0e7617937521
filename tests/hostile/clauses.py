"""What a stranger can do, clause by clause, and the tests that show it. ``make hostile`` runs them.

Names of tests are those of pytest, from ``tests/`` on; a whole file stands for all of its tests.
test_clauses.py holds that each is there.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLAUSES", "Clause"]


@dataclass(frozen=True)
class Clause:
    """One thing that is promised."""

    point: str
    text: str
    tests: tuple[str, ...]


def _in(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{file}::test_{name}" for name in names) if names else (file,)


_SCENARIOS = "hostile/test_scenarios.py"

CLAUSES = (
    Clause(
        "1",
        "No lack of descriptors ends the process: a reserve is kept, and a call is held amid it",
        (
            *_in(
                "hostile/test_starved.py",
                "strangers_leave_descriptors_for_a_call_and_its_hold_music",
                "limits_that_do_not_fit_are_made_to_in_their_proportions",
            ),
            *_in("test_descriptors.py"),
            *_in(
                _SCENARIOS,
                "1_strangers_take_all_descriptors_and_a_call_is_held",
                "1_descriptors_run_out_again_and_again",
            ),
            *_in("rtp/test_hostile.py", "a_process_without_descriptors_has_no_port_to_give"),
        ),
    ),
    Clause(
        "1",
        "Every open, bind, import and allocation fails once, and the next try works",
        _in(
            "hostile/test_starved.py",
            "every_open_bind_and_import_of_a_running_server_fails_once",
            "every_function_of_a_running_server_runs_out_of_memory_once",
        ),
    ),
    Clause(
        "1",
        "Applications go on, too: what a call lacks or is refused ends that call, and says so",
        (
            *_in("hostile/test_starved_clients.py"),
            *_in(
                "sccp/test_verbs.py",
                "what_a_call_is_refused_ends_it_is_told_and_lets_the_next_one_be_served",
            ),
            *_in(
                "cti/test_calls.py",
                "a_refusal_ends_the_call_of_a_cti_port_it_was_about_and_no_other",
                "a_refusal_ends_the_session_of_a_route_point_it_was_about_and_no_other",
            ),
        ),
    ),
    Clause(
        "2",
        "A trace that fails is left out; a full disk costs records, and is told once",
        (
            *_in("sccp/test_guard.py", "a_trace_that_fails_is_left_out_and_ends_nothing"),
            *_in(
                "test_trace.py",
                "one_sink_that_fails_leaves_the_others",
                "a_full_disk_costs_records_and_is_told_once",
                "a_file_that_is_full_is_kept_and_a_new_one_begins",
                "a_new_file_that_cannot_be_had_at_once_is_had_later",
            ),
            *_in(_SCENARIOS, "2_the_disk_of_the_trace_is_full"),
        ),
    ),
    Clause(
        "2",
        "A trace is its owner's alone, follows no link, and leaves out what is keyed",
        _in(
            "test_trace.py",
            "a_trace_is_its_owner_s_alone_and_follows_no_link",
            "a_file_of_somebody_else_is_refused",
            "what_is_keyed_over_sccp_is_covered_and_the_frame_still_read",
            "files_have_what_is_keyed_only_when_they_are_asked_for_it",
        ),
    ),
    Clause(
        "2",
        "A trace forgets connections that are gone",
        (
            *_in(
                "test_trace.py",
                "the_end_of_a_connection_is_its_fin_and_the_next_begins_with_a_handshake",
                "connections_that_nobody_closed_are_forgotten_in_the_end",
            ),
            *_in(_SCENARIOS, "2_connections_that_are_over_are_forgotten_by_a_trace"),
        ),
    ),
    Clause(
        "3",
        "A live phone's name is not taken; a silent one's is had after 1.5 intervals",
        (
            *_in("sccp/test_names.py"),
            *_in(_SCENARIOS, "3_a_live_name_is_asked_for_again_and_again"),
        ),
    ),
    Clause(
        "4",
        "Store and locks are this user's alone; a reader of a lock file hides no death",
        _in(
            "failover/test_store_file.py",
            "everything_is_this_user_s_alone_also_what_was_open_before",
            "links_and_other_users_files_are_refused",
            "a_directory_in_which_everybody_may_write_is_refused",
            "a_reader_of_a_lock_file_hides_no_death",
        ),
    ),
    Clause(
        "5",
        "Nothing that a peer says reaches a terminal raw",
        (
            *_in("test_printable.py"),
            *_in(_SCENARIOS, "5_nothing_of_a_peer_reaches_the_terminal_raw"),
        ),
    ),
    Clause(
        "6",
        "Before login little is believed, and nothing is kept of what failed",
        (
            *_in(
                "cti/test_connection.py",
                "before_the_login_only_its_messages_are_looked_at_and_decoded",
                "before_the_login_a_message_is_short",
                "a_connection_that_has_failed_keeps_nothing_of_what_came",
            ),
            *_in(
                "sccp/test_registrar.py",
                "nothing_but_what_comes_before_a_registration_is_decoded_before_it",
                "a_few_kib_wait_before_a_registration_and_nothing_is_kept_of_a_failure",
            ),
            *_in(_SCENARIOS, "6_a_mebibyte_before_the_login_from_each_of_480"),
        ),
    ),
    Clause(
        "6",
        "Unfinished TLS counts as a stranger",
        (
            *_in(
                "cti/test_calls.py", "who_does_not_finish_a_handshake_takes_up_a_stranger_s_place"
            ),
            *_in(_SCENARIOS, "6_tls_that_is_never_agreed_on_and_a_flood_of_beginnings"),
        ),
    ),
    Clause(
        "7",
        "Handles of one line, sessions of one user and calls of a shared line have limits",
        (
            *_in(
                "cti/test_limits.py",
                "one_line_and_one_device_are_opened_a_few_times_by_one_session",
                "one_user_cannot_take_all_sessions",
            ),
            *_in(
                "callmanager/test_calls.py",
                "phones_that_only_see_a_call_of_their_shared_line_take_no_room_from_others",
            ),
            *_in(
                _SCENARIOS,
                "7_one_user_opens_one_line_1000_times_in_each_of_8_sessions",
                "7_one_user_wants_all_sessions",
                "7_calls_held_on_a_line_that_200_share",
            ),
        ),
    ),
    Clause(
        "8",
        "The quiet are served before the loud, however many there are",
        (*_in("test_fairness.py"), *_in(_SCENARIOS, "8_the_loud")),
    ),
    Clause(
        "9",
        "Guesses are few, of a whole IPv6 network together, and lock nobody out",
        (
            *_in("test_guesses.py"),
            *_in("test_admission.py", "the_addresses_that_one_host_has_in_ipv6_count_as_one"),
            *_in(
                "cti/test_guard.py",
                "a_guesser_locks_nobody_out_of_its_own_address",
                "a_login_that_would_wait_too_long_is_refused_unseen_and_told_why",
                "one_address_can_not_keep_the_others_out",
            ),
            *_in(_SCENARIOS, "9_passwords_are_guessed_beside_a_good_application"),
        ),
    ),
    Clause(
        "9",
        "Names of devices are no oracle, and tokens have a limit",
        (
            *_in(
                "sccp/test_names.py",
                "an_address_that_tries_too_many_names_learns_nothing_more_and_its_phones_go_on",
                "tokens_tell_a_stranger_no_more_names_than_registrations_do",
            ),
            *_in("sccp/test_tokens.py"),
            *_in(
                _SCENARIOS,
                "9_names_of_devices_are_tried",
                "9_tokens_are_asked_for_without_end",
            ),
        ),
    ),
    Clause(
        "9",
        "No stranger fills a log: what can be had at will is told so often a minute",
        (
            *_in(
                "cti/test_guard.py",
                "one_address_can_not_keep_the_others_out",
            ),
            *_in(
                "sccp/test_names.py",
                "rejections_are_logged_once_a_minute_with_their_number",
                "a_name_that_goes_to_and_fro_does_not_fill_the_log",
            ),
            *_in(
                "sccp/test_guard.py",
                "a_bug_that_somebody_brings_out_again_and_again_does_not_fill_the_log",
            ),
            *_in("failover/test_server.py", "callers_do_not_fill_the_log"),
        ),
    ),
    Clause(
        "10",
        "A foreign source is not heard while the present one is",
        (
            *_in(
                "rtp/test_streams.py",
                "forged_packets_of_another_source_silence_nobody_who_is_heard",
                "a_source_that_has_fallen_silent_is_followed_by_the_next_one",
                "a_goodbye_alone_lets_nobody_else_in",
            ),
            *_in("rtp/test_hostile.py", "strangers_are_counted_on_both_ports_and_not_heard"),
            *_in(_SCENARIOS, "10_rtp_of_strangers_at_the_tone_of_a_call_on_hold"),
        ),
    ),
    Clause(
        "10",
        "Sound goes where it may: not to ourselves, not without a call, to the signalling's host",
        (
            *_in(
                "rtp/test_hostile.py",
                "a_port_is_never_told_to_send_to_itself",
                "a_port_on_every_address_is_not_told_to_send_to_itself_by_any_of_them",
            ),
            *_in(
                "sccp/test_style.py",
                "sound_goes_only_where_the_signalling_is_when_that_is_asked_for",
                "nothing_is_sent_before_there_is_a_call_and_an_early_order_waits_for_it",
                "an_early_order_that_is_taken_back_is_forgotten",
            ),
            *_in(
                "cti/test_calls.py",
                "a_cti_port_sends_sound_only_where_its_manager_is_when_that_is_asked_for",
            ),
            *_in(
                "callmanager/test_line_side.py",
                "a_phone_has_sound_sent_only_to_where_it_signals_from_when_that_is_asked_for",
            ),
        ),
    ),
    Clause(
        "11",
        "Limits and TLS are settings; files and passwords that others can read are warned of",
        (
            *_in("test_secrecy.py"),
            *_in(
                "callmanager/test_dialplan.py",
                "a_bad_setting_of_applications_or_media_is_named",
                "files_of_a_certificate_stand_beside_the_configuration",
                "a_setting_counts_instead_of_the_file_s",
                "a_time_is_a_number_of_seconds_that_ends",
            ),
            *_in(
                "cti/test_calls.py",
                "an_application_comes_in_over_tls_and_checks_whom_it_talks_to",
            ),
            *_in("failover/test_server.py", "a_server_logs_in_over_tls_and_trusts_nobody_else"),
        ),
    ),
    Clause(
        "12",
        "A device given back takes its lines along; lamps only of the user's devices",
        _in(
            "cti/test_limits.py",
            "a_device_that_a_super_provider_gives_back_takes_its_open_lines_along",
            "a_lamp_is_switched_only_on_devices_of_the_user",
        ),
    ),
    Clause(
        "12",
        "Dependencies whose API moves have upper bounds, and development one version of each",
        _in("test_packaging.py"),
    ),
    Clause(
        "all",
        "Nothing in sound frames ends a registration: short bodies, messages for the other side",
        (
            *_in(
                "sccp/test_hostile.py",
                "what_is_short_or_for_the_other_side_ends_nothing",
            ),
            *_in(
                "sccp/test_messages.py",
                "a_body_cut_at_any_byte_says_what_is_there",
                "no_body_at_all_is_nothing_of_each_type",
            ),
            *_in(
                "sccp/test_crashes.py",
                "a_registration_request_of_any_size_is_answered_by_what_is_there",
            ),
        ),
    ),
    Clause(
        "all",
        "Garbage, half messages and resets end their own connection",
        (
            *_in("sccp/test_hostile.py"),
            *_in("cti/test_hostile.py"),
            *_in(_SCENARIOS, "garbage_cut_messages_and_resets"),
        ),
    ),
    Clause(
        "all",
        "The control socket is its user's alone, and who misbehaves there loses that connection",
        (
            *_in(
                "callmanager/test_control.py",
                "a_process_of_another_user_is_not_let_in",
                "a_socket_is_closed_to_others_and_gone_afterwards",
                "a_directory_that_others_can_write_or_have_is_refused",
                "garbage_is_answered_and_the_next_request_is_served",
                "who_does_not_read_is_closed_and_others_are_served",
                "one_connection_too_many_is_told_so_and_closed",
                "there_are_only_so_many_watches_over_all_connections",
                "what_is_keyed_and_the_passwords_are_nowhere",
            ),
            *_in("callmanager/test_control_core.py"),
        ),
    ),
)
