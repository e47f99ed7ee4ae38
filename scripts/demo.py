#!/usr/bin/env python3
"""Plays the main story with the real programs and prints what happened.

Starts `tandem serve`, creates a demonstration tenant through the portal's HTTP interface, activates two softphones (one by
code, one by QR image), lets alice call bob, scores what each heard, and keeps serving. `scripts/run` calls it.
"""

import argparse
import json
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from portal_client import Portal, Refused
from score import score

ROOT = Path(__file__).resolve().parent.parent
SPEECH = ROOT / "var" / "speech"
PEOPLE = {
    "alice": {"extension": "1001", "first_name": "Alice", "last_name": "Archer"},
    "bob": {"extension": "1002", "first_name": "Bob", "last_name": "Baker"},
    "carol": {"extension": "1003", "first_name": "Carol", "last_name": "Carter"},
}


class Failed(Exception):
    """A step of the story did not work; the text says which and what to look at."""


class Story:
    def __init__(self, options):
        self.options = options
        self.data = Path(options.data or ROOT / "var" / ("once" if options.once else "run"))
        if options.once and not options.data:
            shutil.rmtree(self.data, ignore_errors=True)  # the last run's; this one starts from nothing
        self.phones = self.data / "phones"
        self.recordings = self.data / "recordings"
        self.state_file = self.data / "demonstration.json"
        self.children = []
        self.url = ""
        for folder in (self.phones, self.recordings):
            folder.mkdir(parents=True, exist_ok=True)

    # --- programs -------------------------------------------------------------------------------------------------

    def start(self, name, *arguments):
        """Starts a program that keeps running; its output goes to a file and is named if it ends early."""
        log = open(self.data / f"{name}.log", "ab")
        child = subprocess.Popen([str(a) for a in arguments], stdout=log, stderr=log)
        self.children.append((name, child))
        return child

    def program(self, name):
        return Path(self.options.bin) / name

    def next_step(self):
        """What to do at a terminal while it serves."""
        softphone = self.program("softphone")
        if self.options.demo:
            return f"place a call with\n     {softphone} --profile {self.phones / 'alice'} call 1002"
        return f"the overview leads to a phone, which is\n     {softphone}"

    def phone(self, person, *arguments, timeout=60):
        """Runs one command of a softphone and returns its JSON answer."""
        command = [self.program("softphone"), "--profile", self.phones / person, "--json", *arguments]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise Failed(f"softphone {' '.join(map(str, arguments))} of {person} ended with {done.returncode}: "
                         f"{(done.stderr or done.stdout).strip()}")
        lines = done.stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def stop(self):
        for _, child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for name, child in reversed(self.children):
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                print(f"run: {name} did not stop and is killed", file=sys.stderr)
                child.kill()

    # --- the steps ------------------------------------------------------------------------------------------------

    def serve(self):
        """Starts the portal and the proxy; what they print at the start is shown to the person."""
        command = [self.program("tandem"), "serve", "--data-dir", self.data / "tandem",
                   "--http", self.options.http, "--sip", self.options.sip]
        log = open(self.data / "tandem.log", "ab")
        child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=log, text=True)
        self.children.append(("tandem serve", child))
        for line in child.stdout:
            print(line, end="", flush=True)
            if line.startswith("Portal: "):
                self.url = line.removeprefix("Portal: ").strip()
            if line.startswith("SIP: "):
                break
        else:
            log = (self.data / "tandem.log").read_text(errors="replace").strip().splitlines()
            raise Failed(f"tandem serve ended with {child.wait()}: {log[-1] if log else 'it said nothing'}")
        threading.Thread(target=_show, args=(child.stdout,), daemon=True).start()

    def sign_in(self):
        """A portal client signed in as the demonstration's own administrator, who is made at the first run."""
        portal = Portal(self.url)
        state = json.loads(self.state_file.read_text()) if self.state_file.exists() else None
        if state is None:
            email = "demonstration@localhost"
            made = subprocess.run(
                [str(self.program("tandem")), "user", "add", "--data-dir", str(self.data / "tandem"), "--email", email,
                 "--first-name", "Demonstration", "--last-name", "Script", "--installation-administrator"],
                capture_output=True, text=True, timeout=30)
            if made.returncode != 0:
                raise Failed(f"tandem user add: {made.stderr.strip()}")
            once, password = made.stdout.split()[-1], secrets.token_urlsafe(24)
            portal.post("/session", {"email": email, "password": once})
            portal.put("/session/password", {"current": once, "new": password})
            state = {"email": email, "password": password}
            self.state_file.touch(mode=0o600)
            self.state_file.write_text(json.dumps(state))
        portal.post("/session", state)
        return portal

    def tenant(self, portal):
        """The path of the demonstration tenant; the first administrator is made one of its owners."""
        tenants = portal.get("/session")["tenants"]
        found = next((t for t in tenants if t["demonstration"]), None)
        if found is None:
            found = portal.post("/tenants", {"name": "Demonstration", "slug": "demonstration", "demonstration": True})
            portal.post(f"/tenants/{found['id']}/members", {"email": "admin@localhost", "role": "owner"})
        return f"/tenants/{found['id']}"

    def devices(self, portal, tenant):
        """Every person's device, with account and contact made where they are missing."""
        have = {d["name"]: d for d in portal.get(f"{tenant}/devices?limit=200")["items"]}
        provider = next(p for p in portal.get(f"{tenant}/providers")["items"] if p["own"])
        for person, about in PEOPLE.items():
            name = f"{about['first_name']}'s softphone"
            if name not in have:
                account = portal.post(f"{tenant}/accounts", {
                    "provider_id": provider["id"], "name": f"{about['first_name']} {about['last_name']}",
                    "username": about["extension"], "display_name": f"{about['first_name']} {about['last_name']}"})
                contact = portal.post(f"{tenant}/contacts", {
                    "first_name": about["first_name"], "last_name": about["last_name"], "company": "Demonstration",
                    "numbers": [], "emails": [{"address": f"{person}@demonstration.example", "label": "work"}]})
                have[name] = portal.post(f"{tenant}/devices", {
                    "name": name, "contact_id": contact["id"], "account_ids": [account["id"]]})
            about["device"] = have[name]

    def activate(self, portal, tenant):
        """alice types her code, bob's phone reads the link out of the QR image; carol's device stays for the person."""
        for person in ("alice", "bob"):
            profile = self.phones / person
            device = PEOPLE[person]["device"]
            if device["status"] != "not_activated" and profile.exists():
                continue
            path = f"{tenant}/devices/{device['id']}/activation"
            activation = portal.get(path)
            if activation["state"] != "open":
                activation = portal.post(path)
            if person == "alice":
                self.phone(person, "activate", "--portal", self.url, "--code", activation["code"])
            else:
                image = self.data / "bob-activation.png"
                image.write_bytes(portal.raw("GET", f"{path}/qr.png"))
                self.phone(person, "activate", "--qr", image)
                image.unlink()

    def start_phones(self):
        for person in ("alice", "bob"):
            arguments = ["--profile", self.phones / person, "run", "--headless", "--play", SPEECH / f"{person}.wav",
                         "--record", self.recordings / f"heard-by-{person}.wav"]
            if person == "bob":
                arguments.append("--auto-answer")
            self.start(f"phone-{person}", self.program("softphone"), *arguments)
        return {person: self.phone(person, "status", "--wait", "registered", "--timeout", "20")
                for person in ("alice", "bob")}

    def call(self):
        """alice calls bob's extension, both speak, alice hangs up."""
        return self.phone("alice", "call", PEOPLE["bob"]["extension"], "--wait", "ended", "--duration", "19", timeout=90)

    def references(self):
        """The best that each speech can score with Opus: encoded and decoded without a network."""
        scores = {}
        for speaker in ("alice", "bob"):
            spoken, decoded = SPEECH / f"{speaker}.wav", self.recordings / f"reference-{speaker}.wav"
            command = [self.program("softphone"), "reference", spoken, decoded]
            subprocess.run([str(c) for c in command], check=True, capture_output=True, timeout=60)
            scores[speaker] = score(spoken, decoded)
        return scores

    def scores(self):
        heard = {"alice": "bob", "bob": "alice"}
        return {listener: score(SPEECH / f"{speaker}.wav", self.recordings / f"heard-by-{listener}.wav")
                for listener, speaker in heard.items()}

    # --- the whole ------------------------------------------------------------------------------------------------

    def play(self):
        self.serve()
        if not self.options.demo:
            return
        portal = self.sign_in()
        tenant = self.tenant(portal)
        self.devices(portal, tenant)
        self.activate(portal, tenant)
        registered = self.start_phones()
        call = self.call()
        self.report(registered, call, self.scores(), self.references())

    def report(self, registered, call, scores, references):
        rows = [(f"{person} registered", f"{_line(status)['registered_in_ms']} ms") for person, status in registered.items()]
        media = call["media"]
        rows += [
            ("bob answered after", f"{call['answered_in_ms']} ms"),
            ("codec", media["codec"]),
            ("packets sent / received / lost", f"{media['packets_sent']} / {media['packets_received']} / {media['packets_lost']}"),
        ]
        speaker = {"alice": "bob", "bob": "alice"}
        rows += [(f"{listener} heard", f"PESQ {s['pesq_wb']} ({references[speaker[listener]]['pesq_wb']} without a network), "
                                       f"{s['seconds']} s compared") for listener, s in scores.items()]
        rows.append(("recordings", str(self.recordings)))
        print()
        for name, value in rows:
            print(f"  {name:<32} {value}")
        print(flush=True)
        poor = [listener for listener, s in scores.items() if s["pesq_wb"] < 3.5]
        if poor:
            raise Failed(f"what {' and '.join(poor)} heard is not the speech that was sent")


def _line(status):
    return status["lines"][0]


def _show(stream):
    for line in stream:
        print(line, end="", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "http", "sip", "bin"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("once", "demo"):
        parser.add_argument(f"--{name}", type=lambda text: text not in ("", "0"), required=True)
    options = parser.parse_args()
    story = Story(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        story.play()
        if not options.once:
            print(f"run: serving. Sign in at {story.url}; {story.next_step()}\n"
                  f"     Ctrl+C ends everything.", flush=True)
            story.children[0][1].wait()
    except (Failed, Refused, subprocess.TimeoutExpired) as error:
        print(f"run: {error}\nrun: logs are in {story.data}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
    finally:
        story.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
