#!/usr/bin/env python3
"""A mail server for tests: says its port on the first line of its output, then each mail that it took as a line of JSON.

It takes mails, or is difficult in one way (--mood), with TLS by STARTTLS, from the first byte, or not at all.
"""
import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

MOODS = ["friendly", "no-recipient", "greylist", "full", "silent", "tells-password", "no-sender"]


class Handler:
    def __init__(self, mood, encrypted):
        self.mood = mood
        self.encrypted = encrypted
        self.seen = set()

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mood == "no-sender":
            return "553 5.7.1 You may not send as this address"
        envelope.mail_from = address
        return "250 2.1.0 Sender ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.mood == "no-recipient":
            return "550 5.1.1 No such user here"
        if self.mood == "greylist" and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 Greylisted, please try again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, server, session, envelope):
        if self.mood == "full":
            return "452 4.3.1 Mailbox system full"
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None or self.encrypted,
            "user": session.auth_data.decode() if session.auth_data else None,
            "hello": session.host_name,
            "mail": envelope.original_content.decode("utf-8", "replace"),
        })
        return "250 2.0.0 Queued as T35T"


class Server(SMTP):
    async def smtp_AUTH(self, arg):
        if self.event_handler.mood == "tells-password":
            await self.push(f"535 5.7.8 Not these: {arg}")
            return
        await super().smtp_AUTH(arg)


def say(what):
    print(json.dumps(what), flush=True)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mood", choices=MOODS, default="friendly")
    parser.add_argument("--tls", choices=["starttls", "implicit", "none"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    asked = parser.parse_args()

    context = None
    if asked.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.certificate, asked.key)

    def authenticator(server, session, envelope, mechanism, data):
        known = isinstance(data, LoginPassword) and data.login.decode() == asked.user and data.password.decode() == asked.password
        return AuthResult(success=known, handled=False, auth_data=data.login if known else None)

    handler = Handler(asked.mood, asked.tls == "implicit")

    def session():
        if asked.mood == "silent":
            return asyncio.Protocol()
        return Server(
            handler,
            hostname="mail.test",
            tls_context=context if asked.tls == "starttls" else None,
            require_starttls=asked.tls == "starttls",
            authenticator=authenticator,
            auth_required=asked.user is not None,
            auth_require_tls=asked.tls == "starttls",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if asked.tls == "implicit" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started it holds the other end; when that is gone, so is the reason to run.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
