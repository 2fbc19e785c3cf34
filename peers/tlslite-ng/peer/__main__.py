"""tlslite-ng as a reqmtls peer, by peers/README.md: the program."""

import argparse
import json
import os
import signal
import socket
import sys
import threading

from contract import VERSION, Peer

# How long a held peer waits for whoever holds it.
PATIENCE = 10


def main():
    parser = argparse.ArgumentParser(prog="tlslite-ng peer")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDRESS:PORT")
    parser.add_argument("--held", action="store_true", help="exit with the connection that asks hold")
    arguments = parser.parse_args()
    host, _, port = arguments.listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=128)
    except (OSError, ValueError) as error:
        sys.exit(f"tlslite-ng peer: {arguments.listen}: {error}")
    for number in (signal.SIGTERM, signal.SIGINT):
        # Threads of connections would outlive the interpreter's own end.
        signal.signal(number, lambda *_: os._exit(0))
    peer = Peer(exits=arguments.held)
    if arguments.held:
        timer = threading.Timer(PATIENCE, peer.exit_unless_held)
        timer.daemon = True
        timer.start()
    address, port = listener.getsockname()[:2]
    where = f"[{address}]:{port}" if family == socket.AF_INET6 else f"{address}:{port}"
    print(json.dumps({"reqmtls": VERSION, "listening": where}), flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            threading.Thread(target=peer.serve, args=(connection,), daemon=True).start()
        except RuntimeError as error:
            print("tlslite-ng peer:", error, file=sys.stderr)
            connection.close()


main()
