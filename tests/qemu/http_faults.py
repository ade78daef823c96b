"""http_faults - an HTTP server on loopback whose folders are ways to serve a file wrong.

The first part of a path says how, the rest names the file:

  /files/    as it should be: HEAD, lengths, ranges
  /plain/    without ranges
  /nohead/   HEAD is answered with 405
  /chunked/  without a length, in chunks
  /redirect/ 302 to /files/          /loop/   302 to itself
  /cut/      half of it, once; then as /files/      /cutplain/  the same without ranges
  /broken/   a kilobyte of what is asked for, each time
  /more/     GET says more than HEAD did            /less/      ... less
  /endless/  in chunks, and never the last one      /stall/     half, and then nothing, each time
  /hold/     half, and then nothing until release() is called
"""

import http.server
import threading
import time

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

    def chunks(self, content, endless=False):
        self.answer(200, Transfer_Encoding="chunked")
        while endless or content:
            piece = content[:PIECE] or b"." * PIECE
            content = content[PIECE:]
            self.wfile.write(b"%x;part\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\nTrailer: x\r\n\r\n")

    def hang_up(self, content):
        self.wfile.write(content)
        self.wfile.flush()
        self.close_connection = True

    def stay(self, until=None):
        """Says nothing more until the other side goes, or `until` is set."""
        self.connection.settimeout(0.1)
        while not self.server.closing and not (until and until.is_set()):
            try:
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.close_connection = True

    def range_of(self, content):
        """(first byte, status) of what is asked for."""
        field = self.headers.get("Range", "")
        if field.startswith("bytes=") and field.endswith("-"):
            return int(field[6:-1]), 206
        return 0, 200

    def part(self, content, send=None, ranges=True):
        first, status = self.range_of(content) if ranges else (0, 200)
        rest = content[first:]
        fields = {"Content_Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if status == 206 else {}
        self.answer(status, len(rest), **fields)
        if send is None:
            self.wfile.write(rest)
        else:
            self.hang_up(rest[:send])

    def do_HEAD(self):
        self.serve(True)

    def do_GET(self):
        self.serve(False)

    def serve(self, head):
        try:
            self.serve_file(head)
        except OSError:
            self.close_connection = True

    def serve_file(self, head):
        how, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        content = self.server.files.get(name)
        with self.server.lock:
            self.server.requests.append((self.command, self.path, self.headers.get("Range"), self.headers.get("Host")))
            first_get = not head and self.path not in self.server.seen
            if not head:
                self.server.seen.add(self.path)
        if content is None:
            self.answer(404, 0)
        elif how in ("redirect", "loop"):
            self.answer(302, 0, Location=f"/files/{name}" if how == "redirect" else self.path)
        elif head:
            if how == "nohead":
                self.answer(405, 0)
            else:
                self.answer(200, None if how in ("chunked", "endless") else len(content))
        elif how in ("chunked", "endless"):
            self.chunks(content, how == "endless")
        elif how in ("cut", "cutplain"):
            self.part(content, len(content) // 2 if first_get else None, how == "cut")
        elif how == "broken":
            self.part(content, 1024)
        elif how in ("more", "less"):
            content = content + b"..." if how == "more" else content[:-3]
            self.answer(200, len(content))
            self.wfile.write(content)
        elif how in ("stall", "hold"):
            first, status = self.range_of(content)
            fields = {"Content_Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if status == 206 else {}
            self.answer(status, len(content) - first, **fields)
            half = first + (len(content) - first) // 2
            self.wfile.write(content[first:half])
            self.wfile.flush()
            self.stay(self.server.released if how == "hold" else None)
            if self.server.released.is_set() and how == "hold":
                self.wfile.write(content[half:])
        elif how in ("files", "plain", "nohead"):
            self.part(content, ranges=how == "files")
        else:
            self.answer(404, 0)


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`, a dictionary of names and bytes; `requests`: what was asked, (method, path, range, host)."""

    daemon_threads = True

    def __init__(self, files, address="127.0.0.1"):
        super().__init__((address, 0), Handler)
        self.files = files
        self.requests = []
        self.seen = set()
        self.lock = threading.Lock()
        self.closing = False
        self.released = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def handle_error(self, request, client_address):
        """A client that hangs up is what this server is for."""

    @property
    def port(self):
        return self.server_address[1]

    def stop(self):
        self.closing = True
        self.shutdown()
        self.server_close()


def main():
    """Serves the files named on the command line, for a look by hand."""
    import os
    import sys
    files = {}
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            files[os.path.basename(path)] = file.read()
    server = Server(files)
    print(f"http://127.0.0.1:{server.port}/files/", *files)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
