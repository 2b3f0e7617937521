"""What a running server does when the configuration in the store changes. Pure.

Its member plans by the new one at once; here is the rest: what is told, what application and trace
are given, and whether the process has to begin anew, because of what it does only once.
"""

from __future__ import annotations

from collections.abc import Callable

from pa_telephony.failover.changes import differences
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.journal import WriteEvent
from pa_telephony.failover.member import Member

__all__ = ["Following"]


class Following:
    """One server and the configuration of the store; ``file`` is what the server was started with.

    ``begun`` is what its address and its sound were opened with.
    """

    def __init__(
        self,
        member: Member,
        file: Cluster,
        begun: Cluster,
        event: WriteEvent,
        takes_up: Callable[[Cluster], None],
    ) -> None:
        self.cluster = begun
        self.begins_anew = ""
        """Why the process has to begin anew once it has no session; "" when it need not."""
        self._member = member
        self._file: Cluster | None = file
        self._begun = begun
        self._event = event
        self._takes_up = takes_up
        self._unread = ""

    def look(self) -> bool:
        """Look at the member after a snapshot; True when the configuration is another."""
        member = self._member
        if member.unread != self._unread:
            self._unread = member.unread
            self._event("configuration.unread", why=member.unread)
        if member.unread:
            return False
        self._compare_file()
        if member.cluster is self.cluster:
            return False
        changed = differences(self.cluster, member.cluster)
        self.cluster = member.cluster
        if changed:
            self._event("configuration.taken_up", changes=[str(each) for each in changed])
            self._takes_up(self.cluster)
        self._look_at_process()
        return True

    def _compare_file(self) -> None:
        """Say once in which fields the file that the server was started with differs."""
        file, self._file = self._file, None
        if file is not None:
            changed = [str(each) for each in differences(file, self._member.cluster)]
            if changed:
                self._event("configuration.file", file=file.file, changes=changed)

    def _look_at_process(self) -> None:
        name = self._member.name
        one, other = self._begun.server(name), self.cluster.server(name)
        for field in ("hostname_or_ip_address", "media_termination_udp_beginning_port"):
            if getattr(one, field) != getattr(other, field):
                self.begins_anew = f"{field} is another"
                return
        self.begins_anew = ""
