"""http_faults - an HTTP server on loopback whose folders are ways to serve a file wrong.

The first part of a path says how, the rest names the file:

  /files/    as it should be: HEAD, lengths, ranges
  /chunked/  without a length, in chunks
  /redirect/ 302 to /files/
  /cut/      half of it, once; then as /files/      /stall/  half, once, and then nothing
  /broken/   a kilobyte of what is asked for, each time
  /more/     GET says more than HEAD did            /less/   ... less
  /hold/     half, and then nothing, each time
"""

import http.server
import threading

PIECE = 16384


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing on stderr."""

    def answer(self, status, length=None, **fields):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def chunks(self, content):
        self.answer(200, Transfer_Encoding="chunked")
        for place in range(0, len(content), PIECE):
            piece = content[place:place + PIECE]
            self.wfile.write(b"%x;part\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\nTrailer: x\r\n\r\n")

    def stay(self):
        """Says nothing more until the other side goes."""
        self.wfile.flush()
        self.connection.settimeout(0.1)
        while not self.server.closing:
            try:
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break

    def part(self, content, most=None):
        """What is asked for; only `most` bytes of it, and False, where less is to come than the head says."""
        field = self.headers.get("Range", "")
        first = int(field[len("bytes="):-1]) if field else 0
        rest = content[first:]
        if field:
            self.answer(206, len(rest), Content_Range=f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.answer(200, len(rest))
        self.wfile.write(rest[:most])
        self.close_connection = most is not None

    def do_HEAD(self):
        self.serve()

    def do_GET(self):
        self.serve()

    def serve(self):
        try:
            self.serve_file()
        except OSError:
            self.close_connection = True

    def serve_file(self):
        how, _, name = self.path.lstrip("/").partition("/")
        content = self.server.files.get(name)
        first = self.server.note(self.command, self.path, self.headers.get("Range"))
        half = len(content or b"") // 2
        if content is None:
            self.answer(404, 0)
        elif how == "redirect":
            self.answer(302, 0, Location=f"/files/{name}")
        elif self.command == "HEAD":
            self.answer(200, None if how == "chunked" else len(content))
        elif how == "chunked":
            self.chunks(content)
        elif how in ("more", "less"):
            content = content + b"..." if how == "more" else content[:-3]
            self.answer(200, len(content))
            self.wfile.write(content)
        elif how == "broken":
            self.part(content, 1024)
        elif how == "hold" or (how in ("cut", "stall") and first):
            self.part(content, half)
            if how != "cut":
                self.stay()
        else:
            self.part(content)


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`, a dictionary of names and bytes; `requests`: what was asked, (method, path, range)."""

    daemon_threads = True

    def __init__(self, files, address="127.0.0.1"):
        super().__init__((address, 0), Handler)
        self.files = files
        self.requests = []
        self.lock = threading.Lock()
        self.closing = False
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def note(self, *request):
        """Whether it is the first of this method for this path."""
        with self.lock:
            first = not any(request[:2] == other[:2] for other in self.requests)
            self.requests.append(request)
        return first

    def asked(self, method, path, part=None):
        with self.lock:
            return (method, path, part) in self.requests

    def handle_error(self, request, client_address):
        """A client that hangs up is what this server is for."""

    @property
    def port(self):
        return self.server_address[1]

    def stop(self):
        self.closing = True
        self.shutdown()
        self.server_close()
