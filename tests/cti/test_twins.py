"""Every scenario of Cisco's client (tests/interop/jtapi) is played without its jar as well."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
JTAPI = HERE.parent / "interop" / "jtapi"

TWINS = {
    "test_calls.py": {
        "a_phone_is_told_to_call_and_the_call_is_seen_to_its_end": (
            "test_calls.py::a_phone_makes_a_call_as_told_and_hangs_up_when_the_block_is_left"
        ),
        "a_phone_that_rings_is_answered_held_and_retrieved": (
            "test_calls.py::a_phone_answers_holds_and_retrieves_as_told"
        ),
        "a_connected_call_is_redirected_and_transferred_in_one_step": (
            "test_calls.py::a_transfer_to_a_number_is_told_as_a_transfer"
        ),
        "a_consultation_is_completed_as_a_transfer": (
            "test_calls.py::a_consultation_becomes_a_transfer_and_the_first_call_survives"
        ),
        "a_call_is_parked_and_got_back_at_another_phone": (
            "test_calls.py::a_call_is_parked_and_whoever_dials_the_number_has_it"
        ),
        "a_line_is_forwarded_and_the_call_says_so": (
            "test_calls.py::a_line_forwards_and_a_phone_is_left_alone_as_told"
        ),
        "a_call_that_was_there_before_is_found": (
            "test_calls.py::a_call_that_was_there_before_is_found_and_controlled"
        ),
        "a_shared_line_is_one_address_with_two_terminals": (
            "test_calls.py::a_shared_line_shows_the_call_at_the_other_device_as_bridged"
        ),
        "a_consultation_becomes_a_conference_that_loses_a_party": (
            "test_calls.py::calls_are_joined_to_a_conference_and_a_party_leaves_it"
        ),
        "several_calls_become_one_conference_at_once": (
            "test_told.py::a_conference_of_several_calls_at_once_begins_once_and_ends_once"
        ),
        "a_consultation_that_is_given_up_leaves_the_first_call_to_be_retrieved": (
            "test_told.py::the_first_call_is_told_as_held_while_the_other_party_is_consulted"
        ),
        "calls_at_two_lines_of_a_phone_are_joined": (
            "test_told.py::calls_at_two_lines_of_a_phone_are_joined"
        ),
    },
    "test_failover.py": {
        "when_a_cti_manager_dies_the_client_goes_on_at_the_other_with_its_route_point": (
            "test_calls.py::everything_that_was_open_is_open_again_at_the_other_cti_manager"
        ),
        "the_client_watches_a_route_point_being_taken_over_by_another_server": (
            "test_scenarios.py::a_route_point_is_watched_while_another_server_takes_it_over"
        ),
    },
    "test_jtapi.py": {
        "the_provider_comes_in_service_and_lists_what_there_is": (
            "test_provider.py::a_provider_lists_what_its_user_controls"
        ),
        "a_wrong_password_is_told_as_such": (
            "test_provider.py::a_wrong_password_is_refused_as_a_real_server_does"
        ),
        "a_locked_user_and_one_without_cti_are_told_why": (
            "test_calls.py::who_may_not_come_in_is_told_no_more_than_his_password_allows"
        ),
        "a_super_provider_acquires_a_device_that_is_not_the_users": (
            "test_scenarios.py::a_super_provider_opens_a_device_that_is_not_its_users"
        ),
        "a_phone_that_comes_and_goes_is_seen_in_and_out_of_service": (
            "test_scenarios.py::a_phone_that_comes_and_goes_takes_its_address_in_and_out_of_service"
        ),
        "device_states_do_not_disturb_message_waiting_and_data": (
            "test_scenarios.py::the_states_of_a_device_are_told_as_its_calls_change_them"
        ),
        "devices_come_and_go_while_the_provider_is_open": (
            "test_calls.py::devices_come_and_go_while_the_provider_is_open"
        ),
        "a_device_that_the_user_owns_is_removed_and_comes_back": (
            "../callmanager/test_changes.py::"
            "a_device_that_users_own_can_be_removed_and_comes_back_as_theirs"
        ),
    },
    "test_ports.py": {
        "a_port_answers_and_sound_flows_to_and_from_the_address_it_named": (
            "test_scenarios.py::"
            "a_port_answers_holds_retrieves_and_hears_keys_with_sound_where_it_said"
        ),
        "a_port_calls_out_and_an_unknown_number_is_told_at_once": (
            "test_calls.py::a_call_to_nowhere_says_why_and_is_gone_soon_after"
        ),
        "a_call_that_the_application_does_not_accept_is_sent_on": (
            "test_accepting.py::a_call_that_no_application_accepts_in_time_is_forwarded"
        ),
    },
    "test_routing.py": {
        "a_route_point_routes_past_a_destination_that_refuses": (
            "test_provider.py::a_routed_call_reaches_the_first_destination_that_takes_it"
        ),
        "when_every_destination_refuses_the_client_re_routes_and_the_call_alerts": (
            "test_provider.py::when_every_destination_refuses_the_handler_is_told_why"
        ),
        "a_route_that_is_not_selected_in_time_ends_with_the_call_alerting": (
            "test_calls.py::a_route_that_is_not_selected_in_time_is_left_alerting_as_jtapi_does"
        ),
        "a_caller_who_hangs_up_ends_the_route": (
            "test_scenarios.py::a_caller_who_hangs_up_ends_the_route"
        ),
        "two_applications_share_a_route_point_and_the_first_redirect_wins": (
            "test_provider.py::two_applications_share_a_route_point_and_the_first_redirect_wins"
        ),
        "a_second_registration_of_another_type_is_refused_by_name": (
            "test_scenarios.py::a_second_registration_of_another_type_is_refused_by_name"
        ),
        "a_route_point_with_media_is_answered": (
            "test_scenarios.py::a_route_point_with_sound_is_answered"
        ),
    },
    "test_unobserved.py": {
        "what_sends_the_other_party_on_is_done_at_once": (
            "test_told.py::the_side_that_stays_is_told_why_it_rings_elsewhere_and_who_sent_it"
        ),
        "a_forward_that_is_followed_leaves_no_connection_of_the_number_that_was_dialled": (
            "test_told.py::a_forward_that_is_followed_names_the_party_that_rings"
        ),
        "a_conference_that_was_there_before_is_found_with_all_its_parties": (
            "test_told.py::a_conference_that_was_there_before_is_found_with_all_its_parties"
        ),
        "the_members_of_a_conference_that_nobody_looks_at_are_its_connections": (
            "test_told.py::the_members_of_a_conference_are_told_as_connected"
        ),
    },
}
"""The scenarios of each file there, and the test beside this one that has the same."""


def names_in(path: Path, *kinds: type[ast.stmt]) -> set[str]:
    """The names of the tests in a file that are functions of these kinds, without "test_"."""
    return {
        each.name.removeprefix("test_")
        for each in ast.parse(path.read_text()).body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(each, kinds)
        and each.name.startswith("test_")
    }


def test_every_scenario_of_cisco_s_client_has_its_twin() -> None:
    """What waits for the client is async; a test of what it is watched with is none of them."""
    found = {path.name: names_in(path, ast.AsyncFunctionDef) for path in JTAPI.glob("test_*.py")}
    scenarios = {name: tests for name, tests in found.items() if tests}
    assert {name: set(twins) for name, twins in TWINS.items()} == scenarios


@pytest.mark.parametrize("name", TWINS)
def test_every_twin_is_there(name: str) -> None:
    for twin in TWINS[name].values():
        file, _, test = twin.partition("::")
        assert test in names_in(HERE / file, ast.FunctionDef, ast.AsyncFunctionDef), twin
