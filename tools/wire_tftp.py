"""wire_tftp - badnet's TFTP server: RFC 1350, and of 2348, 2349 and 7440 blksize, tsize, timeout, windowsize."""

import struct

READ, WRITE, DATA, ACK, ERROR, OPTIONS = range(1, 7)
NOT_FOUND, DENIED, ILLEGAL = 1, 2, 4
PORT = 69
FIRST_PORT = 50000
TRIES = 30
BLOCK = 512
SIZE_MAX_V4, SIZE_MAX_V6 = 1468, 1448  # what fits into a packet of 1500 bytes


def error(code, text):
    return struct.pack(">HH", ERROR, code) + text.encode() + b"\0"


class Transfer:
    """One file on its way to one client, from a port of its own."""

    def __init__(self, server, place, content, options):
        self.server = server
        self.place = place  # (our address, our port, the client's address and port)
        self.content = content
        self.options = options
        self.block = int(options.get("blksize", BLOCK))
        self.window = int(options.get("windowsize", 1))
        self.timeout_s = float(options.get("timeout", 1))
        self.last = len(content) // self.block + 1
        self.acknowledged = -1 if options else 0
        self.sent = 0  # how far it came, to count what goes out twice
        self.tries = 0
        self.asked_again = None
        self.over = False
        self.generation = 0

    def go_on(self):
        """Sends what follows the last acknowledgement, and will do so again when none comes."""
        self.generation += 1
        if self.acknowledged < 0:
            fields = "".join(f"{name}\0{value}\0" for name, value in self.options.items())
            self.server.send(self.place, struct.pack(">H", OPTIONS) + fields.encode())
        else:
            for number in range(self.acknowledged + 1, min(self.acknowledged + self.window, self.last) + 1):
                self.send_block(number)
        self.server.network.later(self.timeout_s, self.again, self.generation)

    def send_block(self, number):
        network = self.server.network
        again = number <= self.sent
        self.sent = max(self.sent, number)
        network.count("tftp-block-again" if again else "tftp-block")
        stall, loss = network.value("tftp-stall"), network.value("tftp-loss")
        if stall is not None and number > stall:
            return
        if loss is not None and number % int(loss) == 0 and not again:
            network.count("tftp-block-lost")
            return
        data = self.content[(number - 1) * self.block:number * self.block]
        self.server.send(self.place, struct.pack(">HH", DATA, number & 0xFFFF) + data)

    def again(self, generation):
        if self.over or generation != self.generation:
            return
        self.tries += 1
        if self.tries == TRIES:
            self.finish("tftp-abandoned")
        else:
            self.go_on()

    def take(self, data):
        operation, number = struct.unpack_from(">HH", data)
        if operation == ERROR:
            # A client that asked for the size alone ends so
            self.finish("tftp-ended-by-client")
        elif operation == ACK and not self.over:
            # The number is the lower half of the block's
            ahead = (number - self.acknowledged) & 0xFFFF
            if self.acknowledged < 0:
                ahead = 1 if number == 0 else 0
            if ahead == 0 or ahead > self.window:
                # An answer that came twice, or late: only the time-out sends again (RFC 1350). In a window the first
                # one asks for what was lost.
                if ahead == 0 and self.window > 1 and self.asked_again != self.acknowledged:
                    self.asked_again = self.acknowledged
                    self.go_on()
                return
            self.acknowledged += ahead
            self.tries = 0
            # An answer in the middle of a window asks for its rest, and what is still under way makes others repeat it
            self.asked_again = self.acknowledged if self.acknowledged < self.sent else None
            if self.acknowledged >= self.last:
                self.finish("tftp-done")
            else:
                self.go_on()

    def finish(self, event):
        if not self.over:
            self.over = True
            self.server.network.count(event)


class Server:
    """`network` has the files, faults, counters and the way out."""

    def __init__(self, network):
        self.network = network
        self.transfers = {}
        self.next_port = FIRST_PORT

    def close(self):
        """Forgets all transfers."""
        for transfer in self.transfers.values():
            transfer.over = True
        self.transfers = {}

    def send(self, place, data):
        ours, port, theirs, their_port = place
        self.network.send_udp(ours, theirs, port, their_port, data)

    def take(self, ours, port, theirs, their_port, data):
        """A datagram to port 69 or to one of a transfer's. False when nothing listens there."""
        transfer = self.transfers.get((ours, port, theirs, their_port))
        if transfer:
            if len(data) >= 4:
                transfer.take(data)
            return True
        if port != PORT or self.network.has("tftp-refused"):
            return False
        if self.network.has("tftp-blocked"):
            self.network.count("tftp-unanswered")
            return True
        place = (ours, self.open_port(), theirs, their_port)
        answer = self.request(place, data)
        if answer:
            self.send(place, answer)
        return True

    def open_port(self):
        port = self.next_port
        self.next_port = FIRST_PORT + (port + 1 - FIRST_PORT) % 10000
        return port

    def request(self, place, data):
        """Begins a transfer, or returns the error to answer with."""
        fields = data[2:].split(b"\0")
        if len(data) < 4 or len(fields) < 3 or data[:2] != struct.pack(">H", READ):
            self.network.count("tftp-bad-request")
            return error(ILLEGAL, "only reading is possible here")
        name = fields[0].decode("utf-8", "replace")
        self.network.count("tftp-read")
        self.network.count(f"tftp-read {name}")
        if self.network.has("tftp-denied"):
            return error(DENIED, "access violation")
        content = self.network.file(name)
        if content is None:
            return error(NOT_FOUND, f"file not found: {name}")
        words = [field.lower().decode("ascii", "replace") for field in fields[2:-1]]
        asked = dict(zip(words[::2], words[1::2]))
        size_max = SIZE_MAX_V4 if len(place[0]) == 4 else SIZE_MAX_V6
        options = {} if self.network.has("tftp-plain") else self.accept(asked, len(content), size_max)
        self.transfers = {key: transfer for key, transfer in self.transfers.items() if not transfer.over}
        transfer = self.transfers[place] = Transfer(self, place, content, options)
        transfer.go_on()
        return None

    @staticmethod
    def accept(asked, content_size, size_max):
        """The options that the answer confirms, with their values."""
        options = {}
        for name, low, high in (("blksize", 8, size_max), ("windowsize", 1, 64), ("timeout", 1, 255)):
            value = asked.get(name, "")
            if value.isdigit() and int(value) >= low:
                options[name] = min(int(value), high)
        if "tsize" in asked:
            options["tsize"] = content_size
        return options
