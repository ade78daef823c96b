"""servelib - what tools/serve serves by HTTP: a folder, with ranges, as a FAT image, and hashes."""

import functools
import hashlib
import http.server
import os
import tempfile
import threading
import time
import urllib.parse

import medialib

IMAGE = "image.img"
BLOCK = 1 << 16


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Image:
    """A folder as a FAT image. A new file for each state of the folder, so that who is reading the old one reads on."""

    def __init__(self, folder, scratch, say=say):
        self.folder = folder
        self.scratch = scratch
        self.say = say
        self.lock = threading.Lock()
        self.state = None
        self.count = 0

    def path(self):
        with self.lock:
            files = medialib.files_of(self.folder)
            state = sorted((name, os.stat(path).st_size, os.stat(path).st_mtime_ns) for name, path in files.items())
            if state != self.state:
                old = self.name()
                self.count += 1
                start = time.monotonic()
                medialib.fat_image(self.name(), files)
                self.state = state
                if os.path.exists(old):
                    os.unlink(old)
                mib = os.path.getsize(self.name()) >> 20
                self.say(f"{IMAGE}: {len(files)} files, {mib} MiB, made in {time.monotonic() - start:.1f} s")
            return self.name()

    def name(self):
        return os.path.join(self.scratch, f"{self.count}.img")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files, the image, and hashes; one range a request (RFC 9110, 14)."""

    protocol_version = "HTTP/1.1"
    server_version = "serve"

    def __init__(self, image, *arguments, **options):
        self.image = image
        super().__init__(*arguments, **options)

    def content(self):
        """(open file, size) of what is asked for; None after an error was answered."""
        path = self.translate_path(self.path)
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        try:
            if name.endswith(".sha256") and not os.path.isfile(path):
                plain = self.image.path() if name == f"/{IMAGE}.sha256" else path.removesuffix(".sha256")
                text = f"{sha256(plain)}  {os.path.basename(name.removesuffix('.sha256'))}\n".encode()
                file = tempfile.TemporaryFile()
                file.write(text)
                file.seek(0)
            else:
                file = open(self.image.path() if name == f"/{IMAGE}" and not os.path.isfile(path) else path, "rb")
            return file, os.fstat(file.fileno()).st_size
        except (medialib.MediaError, OSError) as error:
            if not isinstance(error, (FileNotFoundError, IsADirectoryError)):
                self.image.say(f"{name}: {error}")
            self.send_error(404 if isinstance(error, OSError) else 500)
            return None

    def range(self, size):
        """(first, end) of the range that is asked for; None for all of it, () when there is no such range."""
        unit, _, text = self.headers.get("Range", "").partition("=")
        first, dash, last = text.partition("-")
        if unit.strip() != "bytes" or not dash or "," in text or not (first + last).strip().isdigit():
            return None
        if not first.strip():
            return (max(0, size - int(last)), size) if int(last) > 0 else ()
        end = min(size, int(last) + 1) if last.strip() else size
        return (int(first), end) if int(first) < end else ()

    def answer(self, body):
        if self.translate_path(self.path).endswith("/") or os.path.isdir(self.translate_path(self.path)):
            return super().do_GET() if body else super().do_HEAD()
        found = self.content()
        if not found:
            return None
        file, size = found
        with file:
            wanted = self.range(size)
            if wanted == ():
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            first, end = wanted or (0, size)
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {first}-{end - 1}/{size}")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Type", self.guess_type(self.path))
            self.send_header("Content-Length", str(end - first))
            self.send_header("Last-Modified", self.date_time_string(os.fstat(file.fileno()).st_mtime))
            self.end_headers()
            if body:
                self.send(file, first, end)
        return None

    def send(self, file, first, end):
        file.seek(first)
        while first < end:
            block = file.read(min(BLOCK, end - first))
            if not block:
                break
            self.wfile.write(block)
            first += len(block)

    def do_GET(self):
        self.answer(True)

    def do_HEAD(self):
        self.answer(False)

    def log_request(self, code="-", size="-"):
        del size
        wanted = self.headers.get("Range") if hasattr(self, "headers") else None
        self.image.say(f"{self.client_address[0]} {self.requestline} {int(code)}{f' ({wanted})' if wanted else ''}")

    def log_message(self, format, *arguments):
        pass  # send_error's second line

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.image.say(f"{self.client_address[0]} went away in the middle of a transfer")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def start(image, address, port):
    """A server of this image and its folder that runs in threads until it is shut down; OSError when there is none."""
    server = Server((address, port), functools.partial(Handler, image, directory=image.folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
