"""What stands in a form, and the configuration that it means; every error names its field."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from filled_forms import posts, refused, say_why
from hypothesis import given, strategies as st
from worlds import CLUSTER

from pa_telephony.admin import provider_form, server_form, settings_form, speech_form
from pa_telephony.admin.fields import FormRefused, Kind, Values, changed_list, typed
from pa_telephony.failover import Cluster, JtapiProvider, SkinnyProvider
from pa_telephony.failover.config import ApplicationConfig, ClusterConfig, Timing
from pa_telephony.failover.speech import LOCALES

PA1 = server_form.values_of(CLUSTER.server("PA1"))
PA2 = server_form.values_of(CLUSTER.server("PA2"))


def test_a_server_s_form_means_that_server() -> None:
    for server in CLUSTER.servers:
        values = server_form.values_of(server)
        assert server_form.with_server(CLUSTER, server.server_name, values) == CLUSTER


def test_the_form_of_server_configuration_has_the_labels_and_the_order_of_the_document() -> None:
    shown = [each for each in server_form.SERVER_FORM.fields if not each.more]
    assert [each.label for each in shown] == [
        "Server Name",
        "Hostname or IP Address",
        "Media Termination UDP Beginning Port",
        "Route Address Provider",
        "Route Address",
        "AA Route Address",
        "Media Port Provider",
        "Media Port Beginning Address",
        "Number of Media Ports",
        "Interceptor Port Provider",
        "Interceptor Ports",
        "Fail-over Server Names",
        "Trace Package List",
    ]
    assert [each.label for each in shown if each.mandatory] == [
        "Server Name",
        "Hostname or IP Address",
    ]


def test_every_field_of_the_configuration_is_in_its_form() -> None:
    def names(kind: type) -> set[str]:
        return {each.name for each in dataclasses.fields(kind)} - {"type"}

    server = {each.name for each in server_form.SERVER_FORM.fields}
    assert server == names(type(CLUSTER.servers[0]))
    assert {each.name for each in provider_form.FORMS["jtapi"].fields} == names(JtapiProvider)
    assert {each.name for each in provider_form.FORMS["skinny"].fields} == names(SkinnyProvider)
    assert {each.name for each in speech_form.SPEECH_FORM.fields} == names(type(CLUSTER.speech))
    settings = {each.name for each in settings_form.SETTINGS_FORM.fields}
    assert settings == names(Timing) | names(ApplicationConfig) | {"capacity_aware"}


@pytest.mark.parametrize(
    ("field", "typed_in", "rule"),
    [
        ("server_name", "", "is mandatory"),
        ("server_name", "PA 1", "letters"),
        ("server_name", "pa3", "another server of that name"),
        ("hostname_or_ip_address", "10.77.208", "host name"),
        ("number_of_media_ports", "two", "whole number"),
        ("number_of_media_ports", "", "is mandatory"),
        ("number_of_media_ports", "9" * 30, "whole number"),
        ("media_termination_udp_beginning_port", "32001", "even"),
        ("route_address", "60OO", "directory number"),
        ("interceptor_ports", ("6XXX",), "would intercept"),
        ("fail_over_server_names", ("10.77.241.165",), "server names only"),
        ("trace_package_list", ("sccp",), "package=level"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(field: str, typed_in: Any, rule: str) -> None:
    found = refused(server_form.with_server, CLUSTER, "PA1", PA1 | {field: typed_in})
    assert list(found) == [field]
    assert rule in found[field][0]


def test_what_is_wrong_with_another_server_says_where() -> None:
    values = PA2 | {"route_address": "6000"}
    with pytest.raises(FormRefused) as caught:
        server_form.with_server(CLUSTER, "PA2", values)
    assert list(caught.value.problems.fields) == ["route_address"]
    other = replace(CLUSTER.servers[1], route_address="6100")
    cluster = replace(CLUSTER, servers=(CLUSTER.servers[0], other, CLUSTER.servers[2]))
    with pytest.raises(FormRefused) as caught:
        server_form.with_server(cluster, "PA1", PA1 | {"route_address": "6100"})
    (where,) = caught.value.problems.others
    assert where == "server 'PA2': route address: 6100 is route_address of 'PA1' too"


def test_a_server_that_gets_another_name_keeps_its_place_in_fail_over_lists() -> None:
    found = server_form.with_server(CLUSTER, "PA2", PA2 | {"server_name": "Spare"})
    assert found.server("PA1").fail_over_server_names == ("Spare", "PA3")
    assert [each.server_name for each in found.servers] == ["PA1", "Spare", "PA3"]


def test_a_server_that_goes_is_on_no_fail_over_list_any_more() -> None:
    found = server_form.without_server(CLUSTER, "PA2")
    assert found.server("PA1").fail_over_server_names == ("PA3",)


def test_a_form_of_a_server_that_has_gone_meanwhile_changes_nothing() -> None:
    without = server_form.without_server(CLUSTER, "PA2")
    with pytest.raises(FormRefused, match="any more"):
        server_form.with_server(without, "PA2", PA2)


@pytest.mark.parametrize(
    ("field", "entry", "rule"),
    [
        ("fail_over_server_names", "10.77.241.165", "server names only"),
        ("fail_over_server_names", "PA9", "no server"),
        ("fail_over_server_names", "PA1", "itself"),
        ("interceptor_ports", "5!", ""),
        ("interceptor_ports", "7XXX", None),
        ("fail_over_server_names", "PA3", None),
    ],
)
def test_add_refuses_what_may_not_stand_in_a_list(field: str, entry: str, rule: str | None) -> None:
    why = server_form.entry_problem(CLUSTER, "PA1", "PA1", field, (entry,))
    assert (why == "") == (rule is None)
    assert (rule or "") in why


def test_add_refuses_an_ip_address_for_a_server_that_is_not_there_yet() -> None:
    empty = ClusterConfig(())
    field = "fail_over_server_names"
    assert "names only" in server_form.entry_problem(empty, None, "", field, ("10.0.0.1",))


def test_18_ports_of_its_own_and_24_that_it_may_take_are_42_on_36() -> None:
    pa1 = replace(CLUSTER.server("PA1"), number_of_media_ports=24, fail_over_server_names=("PA2",))
    pa2 = replace(
        CLUSTER.server("PA2"),
        number_of_media_ports=18,
        media_port_beginning_address="6101",
        media_port_provider="skinny",
        capacity=36,
    )
    cluster = replace(CLUSTER, servers=(pa1, pa2))
    own, taken = server_form.loads(cluster, "PA1")
    assert str(own) == "PA1: 24 media ports on 36"
    assert str(taken) == "PA2: 18 of its own + 24 of PA1 = 42 media ports on 36"
    assert (own.exceeded, taken.exceeded) == (False, True)
    (alone,) = server_form.loads(cluster, "PA2")
    assert alone == taken


def test_a_provider_s_form_means_that_provider_and_has_no_password_in_it() -> None:
    for provider in CLUSTER.providers:
        values = provider_form.values_of(provider)
        assert "x" not in (values.get("password"), *values.values())
        found = provider_form.with_provider(CLUSTER, provider.name, provider.type, values)
        assert found == CLUSTER


def test_a_password_stays_changes_or_goes() -> None:
    values = provider_form.values_of(CLUSTER.provider("jtapi"))

    def password(values: Values, **how: Any) -> str:
        cluster = provider_form.with_provider(CLUSTER, "jtapi", "jtapi", values, **how)
        provider = cluster.provider("jtapi")
        assert isinstance(provider, JtapiProvider)
        return provider.password

    assert password(values) == "x"
    assert password(values | {"password": "new"}) == "new"
    assert password(values, forget=True) == ""


def test_a_provider_that_gets_another_name_is_chosen_as_before() -> None:
    values = provider_form.values_of(CLUSTER.provider("skinny")) | {"name": "ports"}
    found = provider_form.with_provider(CLUSTER, "skinny", "skinny", values)
    assert found.server("PA1").media_port_provider == "ports"


def test_a_provider_that_a_server_needs_does_not_go() -> None:
    with pytest.raises(FormRefused, match="no provider 'skinny'"):
        provider_form.without_provider(CLUSTER, "skinny")


def test_devices_are_lines_of_number_and_name() -> None:
    values = provider_form.values_of(CLUSTER.provider("skinny"))
    good = values | {"devices": "6001 = A-1\n\n6002=A-2\n"}
    found = provider_form.with_provider(CLUSTER, "skinny", "skinny", good).provider("skinny")
    assert isinstance(found, SkinnyProvider)
    assert dict(found.devices) == {"6001": "A-1", "6002": "A-2"}
    assert provider_form.values_of(found)["devices"] == "6001 = A-1\n6002 = A-2"
    for bad in ("6001", "= A", "6001 = A\n6001 = B"):
        values["devices"] = bad
        found_wrong = refused(provider_form.with_provider, CLUSTER, "skinny", "skinny", values)
        assert list(found_wrong) == ["devices"]


def test_the_speech_form_means_the_speech_services() -> None:
    values = speech_form.values_of(CLUSTER.speech)
    assert speech_form.with_speech(CLUSTER, values) == CLUSTER
    wrong = values | {"refresh_schedule": "25:00"}
    assert list(refused(speech_form.with_speech, CLUSTER, wrong)) == ["refresh_schedule"]


def test_the_buttons_of_a_list_add_remove_and_move() -> None:
    entries = ("a", "b", "c")
    assert changed_list(entries, "add", "d", ()) == ("a", "b", "c", "d")
    assert changed_list(entries, "add", "b", ()) == entries
    assert changed_list(entries, "remove", "", ["b"]) == ("a", "c")
    assert changed_list(entries, "up", "", ["c"]) == ("a", "c", "b")
    assert changed_list(entries, "up", "", ["a", "b"]) == entries
    assert changed_list(entries, "down", "", ["a"]) == ("b", "a", "c")
    assert changed_list(entries, "down", "", ["b", "c"]) == entries


@given(posts(server_form.SERVER_FORM, PA1), st.sampled_from([None, "PA1", "PA2", "PA9"]))
def test_any_server_form_is_a_cluster_that_keeps_every_rule_or_says_why_not(
    posted: dict[str, list[str]], old: str | None
) -> None:
    values = typed(server_form.SERVER_FORM, posted)
    try:
        found = server_form.with_server(CLUSTER, old, values)
    except FormRefused as error:
        say_why(error)
        return
    assert isinstance(found, Cluster)
    again = server_form.values_of(found.server(values["server_name"]))
    assert server_form.with_server(found, values["server_name"], again) == found


@given(
    st.sampled_from(["jtapi", "skinny"]).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            posts(provider_form.FORMS[kind], provider_form.values_of(CLUSTER.provider(kind))),
        )
    ),
    st.booleans(),
)
def test_any_provider_form_is_a_cluster_or_says_why_not(
    sent: tuple[str, dict[str, list[str]]], new: bool
) -> None:
    kind, posted = sent
    values = typed(provider_form.FORMS[kind], posted)
    try:
        found = provider_form.with_provider(CLUSTER, None if new else kind, kind, values)
    except FormRefused as error:
        say_why(error)
    else:
        assert isinstance(found, Cluster)


@given(posts(speech_form.SPEECH_FORM, speech_form.values_of(CLUSTER.speech)))
def test_any_speech_form_is_a_cluster_or_says_why_not(posted: dict[str, list[str]]) -> None:
    values = typed(speech_form.SPEECH_FORM, posted)
    try:
        found = speech_form.with_speech(CLUSTER, values)
    except FormRefused as error:
        say_why(error)
    else:
        assert {*found.speech.supported_locales} <= {*LOCALES}


def test_a_field_that_was_not_sent_is_empty() -> None:
    values = typed(server_form.SERVER_FORM, {})
    kinds = {each.name: each.kind for each in server_form.SERVER_FORM.fields}
    assert all(values[name] == (() if kinds[name] is Kind.LIST else "") for name in kinds)
