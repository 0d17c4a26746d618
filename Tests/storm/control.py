"""Calls the daemon's control socket (Varlink) directly: a process for each call would take processor time from the clients."""

import socket

import common


def call(path, method, seconds, **parameters):
    """Returns the parameters of the reply, or None when no daemon listens or it replies with an error."""
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
