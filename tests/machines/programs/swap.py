"""The floor under every takeover: bare compare-and-swaps through etcd's gateway, one by one.

python swap.py COUNT HOST …     prints the seconds that each took; the hosts take turns
"""

from __future__ import annotations

import base64
import http.client
import json
import sys
import time

_KEY = base64.b64encode(b"/floor").decode()


def swap(connection: http.client.HTTPConnection, old: bytes, new: bytes) -> float:
    before, after = (base64.b64encode(each).decode() for each in (old, new))
    compare = {"key": _KEY, "target": "VALUE", "result": "EQUAL", "value": before}
    if not old:
        compare = {"key": _KEY, "target": "VERSION", "result": "EQUAL", "version": "0"}
    put = {"request_put": {"key": _KEY, "value": after}}
    began = time.monotonic()
    connection.request("POST", "/v3/kv/txn", json.dumps({"compare": [compare], "success": [put]}))
    answer = json.loads(connection.getresponse().read())
    assert answer.get("succeeded"), answer
    return time.monotonic() - began


def main(count: int, hosts: list[str]) -> None:
    connections = [http.client.HTTPConnection(host, 2379, timeout=10.0) for host in hosts]
    body = json.dumps({"key": _KEY})
    connections[0].request("POST", "/v3/kv/deleterange", body)
    connections[0].getresponse().read()
    took: list[float] = []
    value = b""
    for number in range(count):
        new = str(number).encode()
        took.append(swap(connections[number % len(hosts)], value, new))
        value = new
    print(json.dumps(took))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
