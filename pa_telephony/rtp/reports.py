"""RTCP of the engine's ports: what a port reports, and what it learns from its peer's reports."""

from __future__ import annotations

import socket
import time

from pa_telephony.errors import DecodeError
from pa_telephony.rtp import rtcp
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.outbound import Outbound
from pa_telephony.rtp.port import Port
from pa_telephony.rtp.session import PeerReport, Reception, fraction_lost
from pa_telephony.rtp.sockets import ANY

__all__ = ["UDP_IP", "receive", "report"]

UDP_IP = 28
"""Octets below RTCP that count for the interval of reports (RFC 3550 section 6.2)."""


def report(
    port: Port, inbound: Inbound, outbound: Outbound, now: float, *, cname: str, bye: bool
) -> bytes:
    """A sender report with a description, and with BYE when the port stops."""
    row = port.index
    ssrc = int(outbound.ssrc[row])
    count, octets = outbound.of_source(row)
    # On all addresses, which has many a machine; the name is to be this one's (RFC 3550 6.5.1).
    host = socket.gethostname() if port.local_address[0] in ANY else port.local_address[0]
    packets: list[rtcp.RtcpPacket] = [
        rtcp.SenderReport(
            ssrc=ssrc,
            ntp=rtcp.ntp_from_unix(time.time()),
            timestamp=int(outbound.timestamp[row]),
            packets=count & 0xFFFFFFFF,
            octets=octets & 0xFFFFFFFF,
            reports=_blocks(port, inbound.reception(row), now),
        ),
        rtcp.description(ssrc, f"{cname}@{host}"),
    ]
    if bye:
        packets.append(rtcp.Bye(ssrcs=(ssrc,)))
    return rtcp.build(packets)


def _blocks(port: Port, heard: Reception | None, now: float) -> tuple[rtcp.ReportBlock, ...]:
    """What was heard since the last report (RFC 3550 section 6.4.1); nothing is told twice."""
    before, port.told = port.told, heard
    if heard is None or heard == before:
        return ()
    expected, received = heard.expected, heard.received
    if before is not None and before[:2] == heard[:2]:
        expected -= before.expected
        received -= before.received
    # With the times of another source's report the peer would find a wrong round trip.
    last = port.last_report if port.last_report and port.last_report.ssrc == heard.ssrc else None
    return (
        rtcp.ReportBlock(
            ssrc=heard.ssrc,
            fraction_lost=fraction_lost(expected, received),
            lost=heard.expected - heard.received,
            # A peer that skips ahead wraps it within the hour.
            highest=heard.highest & 0xFFFFFFFF,
            jitter=int(heard.jitter),
            last_report=rtcp.ntp_middle(last.ntp) if last else 0,
            delay=int((now - last.at) * 65536) & 0xFFFFFFFF if last else 0,
        ),
    )


def receive(port: Port, inbound: Inbound, now: float) -> None:
    """Take one RTCP packet from a port's socket, where one waits."""
    try:
        data, origin = port.rtcp_socket.recvfrom(2048)
    except OSError:
        return
    if port.peer is None or origin[0] != port.peer.remote[0]:
        port.foreign += 1
        return
    try:
        packets = rtcp.parse(data)
    except DecodeError:
        inbound.garbage[port.index] += 1
        return
    if port.reports is not None:
        port.reports.received(len(data) + UDP_IP)
    for packet in packets:
        if isinstance(packet, rtcp.SenderReport):
            port.last_report = PeerReport(packet.ssrc, packet.ntp, now)
        elif isinstance(packet, rtcp.Bye):
            for ssrc in packet.ssrcs:
                inbound.bye(port.index, ssrc)
