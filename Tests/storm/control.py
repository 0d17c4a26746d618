"""The daemon's control socket (Varlink), without a program for each question: on two processors the clients would wait for those."""

import json
import socket


def call(path, method, seconds, **parameters):
    """The reply's parameters; nothing when no daemon is there, or it refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(path)
            message = {"method": f"io.dormouse.Manager.{method}", "parameters": parameters}
            connection.sendall(json.dumps(message).encode() + b"\0")
            answer = b""
            while not answer.endswith(b"\0"):
                got = connection.recv(65536)
                if not got:
                    return None
                answer += got
        except TimeoutError:
            raise
        except OSError:
            return None
    reply = json.loads(answer[:-1])
    return None if "error" in reply else reply.get("parameters", {})
