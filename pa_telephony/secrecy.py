"""Warnings of links and files from which others could learn a password.

Both are logged (``pa_telephony``) as warnings, and change nothing else.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable

from pa_telephony.address import is_loopback

__all__ = ["warn_of_plain_link", "warn_of_plain_listener", "warn_of_plain_login", "warn_of_readers"]

_log = logging.getLogger("pa_telephony")


def warn_of_readers(file: str | os.PathLike[str], what: str) -> None:
    """Warn when every user of the machine may read ``file``, which holds ``what``."""
    try:
        mode = os.stat(file).st_mode
    except OSError:
        return
    if mode & stat.S_IROTH:
        _log.warning(
            "%s holds %s and everybody on this machine may read it: chmod o-r %s",
            os.fspath(file),
            what,
            os.fspath(file),
        )


def warn_of_plain_link(peers: Iterable[tuple[str, int]], user: str) -> None:
    """Warn when the password of ``user`` leaves this machine on a link without TLS.

    CTIQBE seals a password with a key that the other side sends, so any host that answers at the
    address, or stands between, can learn it (observed of Cisco's client).
    """
    for host, port in peers:
        if not is_loopback(host):
            _log.warning(
                "the password of user %r goes to %s:%s without TLS: "
                "whoever answers there, or stands between, can learn it",
                user,
                host,
                port,
            )


def warn_of_plain_listener(host: str, port: int) -> None:
    """Warn when applications of other machines can log in at ``host`` and only without TLS."""
    if not is_loopback(host):
        _log.warning(
            "applications log in at %s:%d without TLS: whoever stands between can learn their "
            "passwords; a certificate ([cti_tls]) lets them come in encrypted",
            host,
            port,
        )


def warn_of_plain_login(user: str, host: str, tls_port: int | None) -> None:
    """Warn when the password of ``user`` came from another machine on a link without TLS.

    ``tls_port`` is where it could have come in encrypted; None for nowhere.
    """
    if not is_loopback(host):
        better = "" if tls_port is None else f"; port {tls_port} takes it encrypted"
        _log.warning(
            "the password of user %r came from %s without TLS: whoever stands between can learn "
            "it%s",
            user,
            host,
            better,
        )
