"""The routes by which a class votes."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from app.room import driver_routes, phone_routes


def routes() -> Sequence[BaseRoute]:
    """Those of the phones and those of the driver."""
    return [*phone_routes.routes(), *driver_routes.routes()]
