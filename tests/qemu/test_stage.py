"""test_stage - netdiag fetch and netdiag boot: files by TFTP and HTTP, servers that do it wrong, what is started."""

import hashlib
import os
import random
import unittest

from harness import ABORTED, BUILD, INVALID, NOT_FOUND, SUCCESS, Prompt, QemuTest, qemulib
from http_faults import Server

HOST = "10.0.2.2"


class StageTest(QemuTest):
    def setUp(self):
        super().setUp()
        self.served = os.path.join(self.folder, "served")
        os.mkdir(self.served)
        self.files = {}
        self.server = Server(self.files)
        self.addCleanup(self.server.stop)

    def offer(self, name, content):
        """Serves it by TFTP and HTTP."""
        self.files[name] = content
        with open(os.path.join(self.served, name), "wb") as file:
            file.write(content)

    def offer_file(self, path, name=None):
        with open(path, "rb") as file:
            self.offer(name or os.path.basename(path), file.read())

    def user_net(self):
        return f"user,id={{id}},tftp={self.served}"

    def tftp(self, name):
        return f"tftp://{HOST}/{name}"

    def http(self, name, how="files"):
        return f"http://{HOST}:{self.server.port}/{how}/{name}"


class Fetch(StageTest):
    def test_fetch(self):
        content = random.Random(1).randbytes(300_000)
        self.offer("blob", content)
        digest = hashlib.sha256(content).hexdigest()
        self.offer("blob.sha256", f"{digest}  blob\n".encode())
        commands = [
            f"netdiag fetch {self.tftp('blob')}",
            f"netdiag fetch --sha256 {digest} {self.http('blob')} got",
            f"netdiag fetch {self.http('blob', 'chunked')}",
            f"netdiag fetch {self.http('blob', 'redirect')}",
            f"netdiag fetch {self.http('blob', 'cut')}",
            f"netdiag fetch {self.http('blob', 'cutplain')}",
            f"netdiag fetch {self.http('blob', 'nohead')}",
            f"netdiag fetch {self.http('none')}",
            f"netdiag fetch {self.tftp('none')}",
            f"netdiag fetch {self.http('blob', 'loop')}",
            f"netdiag fetch {self.http('blob', 'more')}",
            f"netdiag fetch {self.http('blob', 'broken')}",
        ]
        for result in self.boot(commands, [("e1000", self.user_net())]):
            print(result)


if __name__ == "__main__":
    unittest.main()
