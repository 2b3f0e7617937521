"""The API as an ASGI application: who may ask, what was sent, and who answers."""

from __future__ import annotations

import functools
import hmac
import json
import logging
from typing import Any

import trio
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pa_telephony.admin.actors import Actor, of_session, of_token
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.administering import Administering
from pa_telephony.admin.api.asking import Asked, Handler
from pa_telephony.admin.api.bodies import read_json, read_query, read_toml
from pa_telephony.admin.api.call_managing import CallManaging
from pa_telephony.admin.api.configuring import Configuring
from pa_telephony.admin.api.operations import OPERATIONS, Operation, find
from pa_telephony.admin.api.ordering import Ordering
from pa_telephony.admin.api.problems import Refused, as_refused, broken
from pa_telephony.admin.api.reading import Reading
from pa_telephony.admin.gate import (
    COOKIE,
    HEADERS,
    BodyRefused,
    address_of,
    content_type,
    read_body,
    said_by_proxy,
)
from pa_telephony.admin.roles import why_not
from pa_telephony.errors import ConfigurationError, ConnectionLost

__all__ = ["Api"]

_log = logging.getLogger(__name__)
_LONGEST_SECRET = 200


class Api:
    """Everything below ``/api/``."""

    def __init__(self, everything: Administration) -> None:
        self._all = everything
        self._handlers: dict[str, Handler] = {
            **Reading(everything).handlers(),
            **Configuring(everything).handlers(),
            **Ordering(everything).handlers(),
            **Administering(everything).handlers(),
            **CallManaging(everything).handlers(),
        }
        assert self._handlers.keys() == {each.name for each in OPERATIONS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["cache-control"] = "no-store"
                message["headers"] = headers.raw
            await send(message)

        request = Request(scope, receive)
        try:
            response = await self._answer(request)
            await response(scope, receive, guarded)
        except BodyRefused as error:
            await _problem(Refused(error.status, error.why))(scope, receive, guarded)
        except (Refused, ConnectionLost, ConfigurationError) as error:
            if begun:
                raise
            await _problem(as_refused(error))(scope, receive, guarded)
        except Exception:
            _log.exception("the API failed: %s", scope["path"])
            if begun:
                raise
            why = "This has a fault, which the log of this program tells of."
            await _problem(Refused(500, why))(scope, receive, guarded)

    async def _answer(self, request: Request) -> Response:
        session, secret = None, ""
        if "authorization" in request.headers:
            kind, _, secret = request.headers["authorization"].partition(" ")
            secret = secret.strip()
            actor = None
            if kind.lower() == "bearer" and 0 < len(secret) <= _LONGEST_SECRET:
                actor = await of_token(self._all, secret)
        else:
            token = request.cookies.get(COOKIE, "")
            find_it = self._all.records.find
            session = await trio.to_thread.run_sync(find_it, token) if token else None
            said = said_by_proxy(request, self._all.access)
            if session is not None and said not in ("", session.account):
                session = None
            actor = None if session is None else of_session(session)
        if actor is None:
            refused = Refused(401, "A session's cookie is needed, or a token as Bearer.")
            refused.headers["www-authenticate"] = "Bearer"
            raise refused
        request.scope["state"] = {"session": session}
        operation, given = _operation(request)
        if why := why_not(actor.role, operation.act):
            raise Refused(403, why)
        if operation.method != "GET":
            _check_csrf(request, actor)
        query = read_query(request.scope.get("query_string", b""), operation.query)
        body = await _body(request, operation)
        asked = Asked(request, operation, actor, secret, given, query, body)
        return await self._ask(asked)

    async def _ask(self, asked: Asked) -> Response:
        if asked.operation.notes:
            asked.note = functools.partial(self._note, asked)
        try:
            found = await self._handlers[asked.operation.name](asked)
        except (Refused, ConfigurationError, ConnectionLost) as error:
            asked.result = f"refused: {error}"
            raise
        finally:
            if asked.note is not None:
                await asked.note()
        if isinstance(found, Response):
            return found
        return _json(found, asked.operation.status)

    async def _note(self, asked: Asked) -> None:
        what = f"API: {asked.operation.name} {asked.subject}".rstrip()[:200]
        records, result = self._all.records, asked.result[:500]
        with trio.CancelScope(shield=True):
            if asked.noted is not None:
                await trio.to_thread.run_sync(records.amend, asked.noted, result)
                return
            who, address = asked.actor.name, address_of(asked.request)
            asked.noted = await trio.to_thread.run_sync(records.note, who, address, what, result)


def _operation(request: Request) -> tuple[Operation, dict[str, str]]:
    methods, given = find(request.scope["path"])
    if not methods:
        raise Refused(404, "There is nothing here.")
    if request.method not in methods:
        refused = Refused(405, f"The methods here are {', '.join(methods)}.")
        refused.headers["allow"] = ", ".join(methods)
        raise refused
    return methods[request.method], given


def _check_csrf(request: Request, actor: Actor) -> None:
    """A session's cookie comes by itself, so its requests have to prove that they were meant."""
    if actor.csrf is None:
        return
    sent = request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(sent.encode(), actor.csrf.encode()):
        raise Refused(403, "X-CSRF-Token is not that of this session: GET /api/v1/session has it.")


async def _body(request: Request, operation: Operation) -> Any:
    if operation.body is None:
        if operation.method != "GET" and await read_body(request):
            raise Refused(400, f"{operation.method} {operation.path} takes no body.")
        return None
    kind = content_type(request)
    if kind == "application/toml" and operation.toml:
        return read_toml(await read_body(request))
    if kind != "application/json":
        more = " or application/toml" if operation.toml else ""
        raise Refused(415, f"The body must be application/json{more}.")
    found = read_json(await read_body(request))
    refused = broken("body", operation.body.problems(found))
    if refused is not None:
        raise refused
    complete = getattr(operation.body, "complete", None)
    return complete(found) if complete is not None else found


def _problem(refused: Refused) -> Response:
    return _json(refused.body, refused.status, "application/problem+json", **refused.headers)


def _json(value: Any, status: int, kind: str = "application/json", **headers: str) -> Response:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return Response(text.encode(), status, headers, media_type=kind)
