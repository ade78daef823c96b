"""wire_control - badnet's control socket: each line switches the network, or asks it something; each gets a line."""

import json
import os
import socket
import socketserver
import threading

import wire_faults


def command(network, line):
    """A line of the control socket; returns the answer. "A B": these faults alone. "+A", "-A": one more, one less."""
    words = line.split()
    try:
        if words == ["counts"]:
            return json.dumps(network.all_counts(), sort_keys=True)
        if words == ["faults"]:
            names = (name if value is None else f"{name}={value:g}" for name, value in network.faults.items())
            return " ".join(names) or wire_faults.HEALTHY
        if not words:
            return "error: no fault named"
        if all(word[0] in "+-" for word in words):
            for word in words:
                if word[0] == "+":
                    network.add(word[1:])
                else:
                    network.remove(word[1:])
        else:
            network.fault(*words)
    except ValueError as error:
        return f"error: {error}"
    return "ok"


def tell(path, line):
    """Sends one line to a control socket, and returns the answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(line.encode() + b"\n")
        with connection.makefile("r", encoding="utf-8") as answer:
            return answer.readline().rstrip("\n")


class Control(socketserver.ThreadingUnixStreamServer):
    """Answers each line of each connection."""

    daemon_threads = True

    def __init__(self, path, network):
        if os.path.exists(path):
            os.unlink(path)
        self.network = network
        super().__init__(path, Line)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
        os.unlink(self.server_address)


class Line(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            answer = command(self.server.network, line.decode("utf-8", "replace"))
            self.wfile.write(answer.encode() + b"\n")
