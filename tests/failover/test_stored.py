"""The configuration in the store: its text comes back unchanged, and of two writers one wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from worlds import CLUSTER, Worlds

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Cluster, SkinnyProvider, Timing, load, stored, text
from pa_telephony.failover.cluster import parse
from pa_telephony.failover.config import ApplicationConfig
from pa_telephony.failover.speech import LOCALES, SpeechConfig
from pa_telephony.failover.stored import (
    CONFIGURATION,
    KEPT,
    Revision,
    current,
    offered,
    past,
    saving,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "cluster.toml"


def test_the_shipped_file_comes_back_as_it_was() -> None:
    cluster = load(EXAMPLE)
    assert parse(text.write(cluster), cluster.file) == cluster


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NUMBERS = st.from_regex(r"[0-9]{1,6}", fullmatch=True)


@st.composite
def _clusters(draw: st.DrawFn) -> Cluster:
    first, *others = CLUSTER.servers
    ports = draw(st.integers(0, 2))
    first = replace(
        first,
        number_of_media_ports=ports,
        capacity=draw(st.integers(1, 500)),
        trace_package_list=tuple(draw(st.sampled_from([(), ("sccp=off", "rtp=debug")]))),
        fail_over_server_names=draw(st.sampled_from([(), ("PA2",), ("PA3", "PA2")])),
    )
    jtapi, skinny = CLUSTER.providers
    assert isinstance(skinny, SkinnyProvider)
    digits = draw(st.dictionaries(st.sampled_from("0123456789*#"), _NUMBERS, max_size=3))
    return replace(
        CLUSTER,
        servers=(first, *others),
        providers=(
            replace(jtapi, password=draw(_TEXTS), tls=draw(st.booleans())),
            replace(skinny, devices=draw(st.sampled_from([{}, {"6001": "A-1", "6002": "B.2"}]))),
        ),
        timing=replace(CLUSTER.timing, hold=draw(st.floats(0.0, 30.0)), own=draw(st.floats(2, 4))),
        application=ApplicationConfig(greeting=draw(_TEXTS), digits=digits),
        speech=SpeechConfig(
            license_key=draw(st.from_regex(r"[!-~]{0,20}", fullmatch=True)),
            speech_recognition_server_hosts=draw(st.sampled_from([(), ("10.77.208.24", "pa2")])),
            supported_locales=draw(st.permutations(LOCALES).map(tuple)),
        ),
        capacity_aware=draw(st.booleans()),
    )


@given(_clusters())
def test_any_configuration_comes_back_from_its_text_as_it_was(cluster: Cluster) -> None:
    written = text.write(cluster)
    assert parse(written) == cluster
    assert text.write(parse(written)) == written


def test_paths_are_absolute_in_the_store_and_the_store_itself_is_not_named() -> None:
    application = ApplicationConfig(greeting="hello.wav")
    cluster = replace(CLUSTER, application=application, file="/etc/pa/c.toml", store="x.db")
    revision = offered(cluster)
    assert revision.cluster("/var/lib/s.db", "s.db").application.greeting == "/etc/pa/hello.wav"
    assert "x.db" not in revision.text
    assert offered(replace(cluster, store="y.db")).hash == revision.hash


def saved(worlds: Worlds, cluster: Cluster, number: int = 1) -> bool:
    return worlds.commit(saving(offered(cluster, number), worlds.snapshot()))


def test_where_the_store_has_no_configuration_the_file_s_counts() -> None:
    worlds = Worlds()
    assert current(CLUSTER, worlds.snapshot()) is CLUSTER
    other = replace(CLUSTER, capacity_aware=True)
    assert saved(worlds, other)
    assert current(CLUSTER, worlds.snapshot()) == other


def test_of_two_writers_the_second_is_refused() -> None:
    worlds = Worlds()
    saved(worlds, CLUSTER)
    seen = worlds.snapshot()
    first = saving(offered(replace(CLUSTER, capacity_aware=True), 2), seen)
    second = saving(offered(replace(CLUSTER, timing=Timing(hold=9.0)), 2), seen)
    assert worlds.commit(first)
    assert not worlds.commit(second)
    assert current(CLUSTER, worlds.snapshot()).capacity_aware


def test_the_last_revisions_are_kept() -> None:
    worlds = Worlds()
    for number in range(1, KEPT + 3):
        assert saved(worlds, replace(CLUSTER, capacity_aware=bool(number % 2)), number)
    numbers = [each.number for each in past(worlds.entries)]
    assert numbers == list(range(KEPT + 2, 2, -1))


@pytest.mark.parametrize("value", ["", "[]", "no JSON", '{"number": 1}'])
def test_what_is_no_revision_is_an_error_and_not_history(value: str) -> None:
    worlds = Worlds()
    worlds.put(CONFIGURATION, value)
    worlds.put(f"{CONFIGURATION}/01", value)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        stored.stored(worlds.snapshot())
    assert past(worlds.entries) == ()


def test_a_configuration_that_this_release_does_not_know_names_the_field() -> None:
    revision = Revision(1, text.write(CLUSTER).replace("capacity = 2", "volume = 11"))
    worlds = Worlds()
    worlds.commit(saving(revision, worlds.snapshot()))
    with pytest.raises(ConfigurationError) as raised:
        current(CLUSTER, worlds.snapshot())
    assert (raised.value.section, raised.value.field) == ("server 'PA2'", "volume")
