"""Network namespaces: being inside one for a moment, and the TUN device that leads out of it."""

import contextlib
import ctypes
import fcntl
import os
import struct
import subprocess

CLONE_NEWNET = 0x4000_0000
TUNSETIFF = 0x4004_54CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DEVICE = "wan0"

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(name):
    """This thread in the network namespace; sockets that are made and programs that are started meanwhile stay there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            _enter(there)
            yield
        finally:
            _enter(home)
            os.close(there)
    finally:
        os.close(home)


def make(name, address):
    """A namespace whose every packet goes through one TUN device; the device's file descriptor, one packet for each read and write.

    It has IPv4 only: linphonec writes an IPv6 address into its descriptions as soon as there is one. It has a default route, without
    which linphonec writes 127.0.0.1."""
    _ip("netns", "add", name)
    with inside(name):
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        with contextlib.suppress(OSError), open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as switch:
            switch.write("1")
    for words in (["link", "set", "lo", "up"], ["addr", "add", f"{address}/24", "dev", DEVICE],
                  ["link", "set", DEVICE, "mtu", "1500", "up"], ["route", "add", "default", "dev", DEVICE]):
        _ip("-n", name, *words)
    return tun


def remove(name):
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"network namespaces cannot be used: {os.strerror(number)}")


def _ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
