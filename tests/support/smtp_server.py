"""An SMTP server for tests: keeps every message as <n>.json in the folder it is started in.

Arguments: port, then any of
  starttls          offer STARTTLS (cert.pem, key.pem in the folder)
  tls               TLS from the first byte
  login=user:pass   offer AUTH, and take mail after it alone
  refuse=address    550 for that receiver
  busy              421 for every MAIL
  full              452 for every message
  speechless        never answer QUIT
"""

import asyncio
import email
import email.policy
import json
import os
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Box:
    def __init__(self, words):
        self.words = words
        self.count = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        if "busy" in self.words:
            return "421 4.3.2 the server is tired"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "refuse=" + address in self.words:
            return "550 5.1.1 no mailbox of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "full" in self.words:
            return "452 4.3.1 the disk is full"
        raw = envelope.original_content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        kept = {
            "from": envelope.mail_from,
            "receivers": envelope.rcpt_tos,
            "tls": session.ssl is not None or "tls" in self.words,
            "user": (session.auth_data.login.decode() if session.authenticated else ""),
            "headers": {name: str(value) for name, value in message.items()},
            "type": message.get_content_type(),
            "parts": [
                {"type": part.get_content_type(), "text": part.get_content().replace("\r\n", "\n")}
                for part in message.iter_parts()
            ],
            "defects": [str(d) for part in message.walk() for d in part.defects]
            + [str(d) for value in message.values() for d in getattr(value, "defects", [])],
            "longest": max(len(line) for line in raw.split(b"\r\n")),
            "raw": raw.decode("latin-1"),
        }
        name = "%d.json" % self.count
        self.count += 1
        with open(name + ".part", "w") as file:
            json.dump(kept, file)
        os.rename(name + ".part", name)
        return "250 OK, kept as " + name

    async def handle_QUIT(self, server, session, envelope):
        if "speechless" in self.words:
            await asyncio.sleep(600)
        return "221 Bye"


def main():
    port, words = int(sys.argv[1]), sys.argv[2:]
    login = [word[6:].split(":", 1) for word in words if word.startswith("login=")]
    context = None
    if "tls" in words or "starttls" in words:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("cert.pem", "key.pem")

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and login and [
            data.login.decode(),
            data.password.decode(),
        ] == login[0]
        return AuthResult(success=good, handled=False, auth_data=data)

    box = Box(words)

    def connection():
        return SMTP(
            box,
            hostname="test.invalid",
            tls_context=context if "starttls" in words else None,
            require_starttls="starttls" in words,
            authenticator=authenticate if login else None,
            auth_required=bool(login),
            auth_require_tls=not login,  # without TLS, this offers no AUTH
            loop=loop,
        )

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.add_signal_handler(signal.SIGTERM, loop.stop)
    loop.run_until_complete(
        loop.create_server(connection, "127.0.0.1", port, ssl=context if "tls" in words else None)
    )
    loop.run_forever()


main()
