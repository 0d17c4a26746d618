"""The daemon's control socket (Varlink), without a program for each question: on two processors the clients would wait for those."""

import socket

import common


def call(path, method, seconds, **parameters):
    """The reply's parameters; nothing when no daemon is there, or it refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(path)
            reply = common.call(connection, method, parameters)
        except TimeoutError:
            raise
        except OSError:
            return None
    return None if reply is None or "error" in reply else reply.get("parameters", {})
