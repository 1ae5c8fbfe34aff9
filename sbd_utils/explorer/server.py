"""A server that hands on small messages at once; `make lab` and `make explore` use it."""

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The connection between a page and its kernel, without Nagle's algorithm (RFC 896).

    For each event the kernel sends the page two messages: that it is busy, and the pictures. By
    Nagle's algorithm the second waits in the server until the page's computer has acknowledged the
    first, and computers put off acknowledgements, Linux by 40 ms: more than everything else takes
    together.
    """

    def connect(self) -> Any:
        """Connect as the parent does, and let every message go at once.

        Returns:
            What the parent returns: a future of the connection.
        """
        self.websocket_handler.set_nodelay(True)
        return super().connect()
