"""An FTP server that answers single commands as it is told: what no installed server can be made to say.

usage: scripted_ftp_server.py FOLDER PORT ANSWERS [CERTIFICATE KEY]

ANSWERS is a JSON object of commands and the reply that each of them gets in place of ours. With a
certificate the whole connection is TLS from its first byte. Files lie in FOLDER; every path is
taken below it. Bytes that come in over a data connection without TLS are written to FOLDER.clear.
"""

import json
import os
import socket
import ssl
import sys
import threading

folder, port, answers = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
context = None
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])


class Session:
    def __init__(self, connection):
        self.connection = context.wrap_socket(connection, server_side=True) if context else connection
        self.cwd, self.renamed, self.listener, self.private = "/", None, None, False

    def reply(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def path(self, name):
        return folder + os.path.normpath(os.path.join(self.cwd, name))

    def data(self):
        connection, _ = self.listener.accept()
        self.listener.close()
        return context.wrap_socket(connection, server_side=True) if context and self.private else connection

    def serve(self):
        self.reply("220 ready")
        for line in self.connection.makefile("rb"):
            verb, _, rest = line.decode().rstrip("\r\n").partition(" ")
            if verb in answers:
                self.reply(answers[verb])
            elif verb == "QUIT":
                return self.reply("221 bye")
            else:
                getattr(self, "do_" + verb.lower(), self.unknown)(rest)

    def unknown(self, _):
        self.reply("500 unknown")

    def do_user(self, _):
        self.reply("331 password")

    def do_pass(self, _):
        self.reply("230 welcome")

    def do_pwd(self, _):
        self.reply('257 "%s"' % self.cwd)

    def do_type(self, _):
        self.reply("200 done")

    do_pbsz = do_type

    def do_prot(self, rest):
        self.private = rest == "P"
        self.reply("200 done")

    def do_cwd(self, rest):
        there = os.path.isdir(self.path(rest))
        if there:
            self.cwd = os.path.normpath(os.path.join(self.cwd, rest))
        self.reply("250 done" if there else "550 Failed to change directory.")

    def do_size(self, rest):
        path = self.path(rest)
        self.reply("213 %d" % os.path.getsize(path) if os.path.isfile(path) else "550 Could not get file size.")

    def do_mkd(self, rest):
        os.mkdir(self.path(rest))
        self.reply("257 made")

    def do_dele(self, rest):
        os.unlink(self.path(rest))
        self.reply("250 done")

    def do_rnfr(self, rest):
        self.renamed = self.path(rest)
        self.reply("350 go on")

    def do_rnto(self, rest):
        os.rename(self.renamed, self.path(rest))
        self.reply("250 done")

    def do_epsv(self, _):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.reply("229 (|||%d|)" % self.listener.getsockname()[1])

    def do_stor(self, rest):
        self.reply("150 go on")
        data = self.data()
        with open(self.path(rest), "wb") as out, open(folder + ".clear", "ab") as clear:
            while block := data.recv(65536):
                out.write(block)
                if not isinstance(data, ssl.SSLSocket):
                    clear.write(block)
        data.close()
        self.reply("226 done")

    def do_list(self, _):
        self.reply("150 go on")
        data = self.data()
        for name in sorted(os.listdir(self.path("."))):
            kind = "d" if os.path.isdir(self.path(name)) else "-"
            size = os.path.getsize(self.path(name))
            data.sendall(("%srw-r--r-- 1 me us %d 2026-11-27 22:10 %s\r\n" % (kind, size, name)).encode())
        data.close()
        self.reply("226 done")


def serve(connection):
    try:
        Session(connection).serve()
    except OSError:
        pass
    finally:
        connection.close()


listener = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
