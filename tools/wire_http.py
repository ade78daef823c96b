"""wire_http - badnet's HTTP/1.1 server, on as much TCP (RFC 9293) as a client that fetches files needs."""

import struct

from wire import TCP, transport_sum

PORT = 80
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
WINDOW = 0xFFFF
IN_FLIGHT_MAX = 8  # segments; more at once would only wait in the wire's queue
TIMEOUT_S = 1
TRIES = 60  # of which a slow machine may need some
REQUEST_MAX = 8192
CHUNK = 1000
MOVED = "moved/"


class Connection:
    """One client's. Bytes are numbered from 0; the first sequence number of each side stands for its SYN."""

    def __init__(self, server, ends, sequence, options):
        self.server = server
        self.ends = ends  # (our address, our port, the client's address and port)
        self.first = server.network.random.randrange(1 << 32)
        self.expected = sequence + 1 & 0xFFFFFFFF
        limit = 1460 if len(ends[0]) == 4 else 1440
        self.size = min(segment_size(options), limit)
        self.input = b""
        self.output = b""
        self.acknowledged = self.sent = 0
        self.window = 0
        self.established = self.closing = self.fin_sent = self.stalled = self.over = False
        self.tries = self.generation = 0

    def send(self, flags, offset, data=b"", options=b""):
        sequence = self.first + (0 if flags & SYN else 1 + offset) & 0xFFFFFFFF
        self.server.send(self.ends, flags, sequence, self.expected, data, options)

    def greet(self):
        """SYN and ACK, with the largest segment that we take."""
        self.send(SYN | ACK, 0, options=struct.pack(">BBH", 2, 4, self.size))
        self.watch()

    def watch(self):
        """Looks again in a while whether what was sent is acknowledged."""
        self.generation += 1
        self.server.network.later(TIMEOUT_S, self.again, self.generation)

    def again(self, generation):
        if self.over or generation != self.generation or (self.established and self.all_acknowledged()):
            return
        self.tries += 1
        if self.tries == TRIES:
            self.over = True
        elif not self.established:
            self.greet()
        else:
            self.sent = self.acknowledged
            self.fin_sent = False
            self.go_on(1)

    def all_acknowledged(self):
        return self.acknowledged == len(self.output) + self.fin_sent

    def take(self, sequence, number, flags, window, data):
        if flags & RST:
            self.over = True
            return
        if flags & SYN:
            self.greet()
            return
        self.window = window
        if flags & ACK:
            ahead = (number - self.first - 1 & 0xFFFFFFFF) - self.acknowledged
            self.established = True
            if 0 < ahead <= len(self.output) + 1 - self.acknowledged:
                self.acknowledged += ahead
                self.sent = max(self.sent, min(self.acknowledged, len(self.output)))
                self.tries = 0
        last = False
        old = self.expected - sequence & 0xFFFFFFFF
        if old < 0x80000000 and (old <= len(data) or not data):
            self.input += data[old:]
            self.expected = self.expected + max(len(data) - old, 0) & 0xFFFFFFFF
            last = bool(flags & FIN) and sequence + len(data) & 0xFFFFFFFF == self.expected
            self.expected = self.expected + last & 0xFFFFFFFF
        while b"\r\n\r\n" in self.input and not self.closing:
            head, self.input = self.input.split(b"\r\n\r\n", 1)
            self.server.answer(self, head)
        self.closing = self.closing or last or len(self.input) > REQUEST_MAX
        if not self.go_on() and (data or flags & FIN):
            self.send(ACK, self.sent + self.fin_sent)
        if self.closing and self.fin_sent and self.acknowledged == len(self.output) + 1:
            self.over = True

    def go_on(self, least=0):
        """Sends what fits into the window, and `least` bytes in any case, to see whether it is still closed. False when
        there was nothing to send."""
        some = False
        room = max(least, min(self.window, IN_FLIGHT_MAX * self.size))
        while self.sent < len(self.output) and self.sent - self.acknowledged < room:
            part = self.output[self.sent:min(self.sent + self.size, self.acknowledged + room)]
            self.send(ACK | PSH, self.sent, part)
            self.sent += len(part)
            some = True
        if self.closing and not self.stalled and self.sent >= len(self.output) and not self.fin_sent:
            self.send(FIN | ACK, len(self.output))
            self.fin_sent = some = True
        if some or self.sent < len(self.output):
            self.watch()
        return some


def segment_size(options):
    """The client's maximum segment size, option 2; RFC 9293's default without one."""
    place = 0
    while place < len(options) and options[place] != 0:
        if options[place] == 1:
            place += 1
            continue
        if place + 1 >= len(options) or options[place + 1] < 2:
            break
        if options[place] == 2 and place + 4 <= len(options):
            return max(64, struct.unpack(">H", options[place + 2:place + 4])[0])
        place += options[place + 1]
    return 536


class Server:
    """`network` has the files, faults, counters and the way out."""

    def __init__(self, network):
        self.network = network
        self.connections = {}

    def close(self):
        """Forgets all connections."""
        for connection in self.connections.values():
            connection.over = True
        self.connections = {}

    def send(self, ends, flags, sequence, number, data=b"", options=b""):
        ours, port, theirs, their_port = ends
        size = 20 + len(options)
        header = struct.pack(">HHIIBBHHH", port, their_port, sequence, number, size << 2, flags, WINDOW, 0, 0) + options
        total = transport_sum(ours, theirs, TCP, header + data)
        segment = header[:16] + struct.pack(">H", total) + header[18:] + data
        self.network.send_ip(ours, theirs, TCP, segment)

    def take(self, ours, theirs, segment):
        """A segment to one of our addresses, which never comes in fragments."""
        if len(segment) < 20 or not 20 <= segment[12] >> 4 << 2 <= len(segment) or \
                transport_sum(ours, theirs, TCP, segment):
            self.network.count("bad-tcp")
            return
        their_port, port, sequence, number, size, flags, window = struct.unpack(">HHIIBBH", segment[:16])
        size = size >> 4 << 2
        ends, data = (ours, port, theirs, their_port), segment[size:]
        if self.network.has("http-blocked"):
            self.network.count("tcp-unanswered")
            return
        self.connections = {place: one for place, one in self.connections.items() if not one.over}
        connection = self.connections.get(ends)
        if connection:
            connection.take(sequence, number, flags, window, data)
        elif flags & (SYN | ACK | RST) == SYN and port == PORT and not self.network.has("http-refused"):
            self.network.count("tcp-connection")
            connection = self.connections[ends] = Connection(self, ends, sequence, segment[20:size])
            connection.window = window
            connection.greet()
        elif not flags & RST:
            self.network.count("tcp-reset")
            # RFC 9293, 3.10.7.1: what makes the other side believe it
            length = len(data) + bool(flags & SYN) + bool(flags & FIN)
            if flags & ACK:
                self.send(ends, RST, number, 0)
            else:
                self.send(ends, RST | ACK, 0, sequence + length & 0xFFFFFFFF)

    def answer(self, connection, head):
        """A request's header is complete."""
        network, has = self.network, self.network.has
        words = head.split(b"\r\n")[0].decode("ascii", "replace").split()
        method, path = (words + ["", ""])[:2]
        if "://" in path:
            path = "/" + path.split("://", 1)[1].partition("/")[2]
        network.count(f"http-{method.lower()} {path.lstrip('/')}")
        connection.closing = words[2:] != ["HTTP/1.1"] or field_of(head, "connection").lower() == "close"
        content = network.file(path.lstrip("/").removeprefix(MOVED))
        if method not in ("GET", "HEAD"):
            self.reply(connection, "501 Not Implemented", b"", method)
        elif content is None or has("http-404"):
            self.reply(connection, "404 Not Found", b"<h1>Not Found</h1>\n", method, ["Content-Type: text/html"])
        elif has("http-redirect") and not path.startswith("/" + MOVED):
            host = field_of(head, "host")
            self.reply(connection, "302 Found", b"", method, [f"Location: http://{host}/{MOVED}{path.lstrip('/')}"])
        else:
            self.reply(connection, "200 OK", content, method, ["Content-Type: application/efi"])

    def reply(self, connection, status, content, method, fields=()):
        has = self.network.has
        chunked = has("http-chunked") and status.startswith("200")
        size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(content)}"
        head = "\r\n".join([f"HTTP/1.1 {status}", "Server: badnet", size, *fields, "", ""]).encode()
        body = b"" if method == "HEAD" else in_chunks(content) if chunked else content
        if body and status.startswith("200") and (has("http-cut") or has("http-stall")):
            body = body[:len(body) // 2]
            connection.closing = True
            connection.stalled = has("http-stall")
        connection.output += head + body


def field_of(head, name):
    """The value of this field in a request's header; "" without one."""
    for line in head.decode("latin-1").split("\r\n")[1:]:
        field, _, value = line.partition(":")
        if field.lower() == name:
            return value.strip()
    return ""


def in_chunks(content):
    """A chunked body (RFC 9112, 7.1)."""
    parts = [content[place:place + CHUNK] for place in range(0, len(content), CHUNK)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"
