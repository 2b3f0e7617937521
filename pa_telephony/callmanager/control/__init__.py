"""See and steer a running call manager from another process, over a Unix socket of its user's.

A call manager offers its socket with :func:`~.server.offer_control`; :func:`~.client.open_control`
is the other side. What goes over it stands in docs/control-socket.md.
"""

from __future__ import annotations
