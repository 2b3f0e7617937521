"""The API is asked by its OpenAPI document, over TCP: every answer is one that the document has.

schemathesis makes the requests, good ones and bad ones, from the document alone.
"""

from __future__ import annotations

import copy
import dataclasses
import queue
import threading
from collections.abc import Generator
from typing import Any

import pytest
import schemathesis
import trio
from api_program import call_manager_socket, with_secret
from form_browser import PlainHasher
from hypothesis import HealthCheck, settings
from schemathesis import checks

from pa_telephony.admin import serving
from pa_telephony.admin.api.description import description
from pa_telephony.admin.api.operations import BASE, OPERATIONS
from pa_telephony.admin.roles import Role
from pa_telephony.admin.serving import open_administration, open_pages
from pa_telephony.admin.tokens import Tokens

pytest_plugins = ["schemathesis.pytest.plugin"]
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

Where = tuple[str, dict[str, str]]


def asked_by() -> dict[str, Any]:
    """The document without what schemathesis has no text for: TOML, and streams without an end."""
    found = copy.deepcopy(description())
    streams = {each.name for each in OPERATIONS if each.stream}
    for path, methods in list(found["paths"].items()):
        for method, operation in list(methods.items()):
            operation.get("requestBody", {}).get("content", {}).pop("application/toml", None)
            if operation["operationId"] in streams:
                del methods[method]
        if not methods:
            del found["paths"][path]
    return found


schema = schemathesis.openapi.from_dict(asked_by())


def do_not_wait(case: schemathesis.Case) -> None:
    """Wait for nothing that becomes of an order; what is wrong stays wrong."""
    body, path = case.body, case.operation.path
    if isinstance(body, dict) and ("/orders/" in path or path == f"{BASE}/restart"):
        within = body.get("within", 1)
        if type(within) in (int, float) and 0 < within <= 300:
            body["within"] = 0


@pytest.fixture(scope="module")
def administration(tmp_path_factory: pytest.TempPathFactory) -> Generator[Where]:
    """An administration that serves in a thread, and the headers of an administrator's program."""
    directory = tmp_path_factory.mktemp("administration")
    told: queue.SimpleQueue[tuple[Where, trio.lowlevel.TrioToken] | BaseException] = (
        queue.SimpleQueue()
    )
    ends = trio.CancelScope()

    async def main() -> None:
        with ends:
            begin = dataclasses.replace(with_secret(), file=str(directory / "cluster.toml"))
            async with (
                call_manager_socket() as control,
                open_administration(begin, control=control) as (everything, _),
                open_pages(everything, "127.0.0.1", 0) as port,
            ):
                secret = Tokens(everything.records).make("schema", Role.ADMINISTRATOR, "test")
                where = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {secret}"}
                told.put((where, trio.lowlevel.current_trio_token()))
                await trio.sleep_forever()

    def live() -> None:
        try:
            trio.run(main)
        except BaseException as error:  # noqa: BLE001 - the fixture raises it
            told.put(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "argon2_hasher", PlainHasher)
        thread = threading.Thread(target=live)
        thread.start()
        said = told.get()
        if isinstance(said, BaseException):
            raise said
        yield said[0]
        trio.from_thread.run_sync(ends.cancel, trio_token=said[1])
        thread.join()


@schema.parametrize()
@settings(max_examples=7, deadline=None, suppress_health_check=[*HealthCheck])
def test_every_answer_is_one_that_the_document_has(
    case: schemathesis.Case, administration: Where
) -> None:
    base, headers = administration
    do_not_wait(case)
    case.call_and_validate(
        base_url=base,
        headers=headers,
        timeout=300,
        # What the document cannot say, as which servers there are, is refused all the same.
        excluded_checks=[checks.positive_data_acceptance],
    )
