"""The server on a port.

python -m cellwright.http.serve --host 127.0.0.1 --port 8765 --home PATH
"""

import argparse
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import uvicorn

from cellwright.http.app import create_app
from cellwright.service.runs import Service
from cellwright.service.supervisor import Supervisor
from cellwright.store import Store, default_home

PORT = 8765


def serve(home: Path, host: str = "127.0.0.1", port: int = PORT) -> None:
    """Serve a store until the process is stopped, with a worker while there is work."""
    signal.signal(signal.SIGTERM, _exit)  # uvicorn raises the signal again when it has shut down
    store = Store(home)
    supervisor = Supervisor(store)
    supervisor.tend_until_closed()
    try:
        uvicorn.run(create_app(Service(store, supervisor.tend)), host=host, port=port, log_level="warning")
    finally:
        supervisor.close(stop_worker=True)
        store.close()


def _exit(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="cellwright.http.serve", description="Serve pipelines over HTTP.")
    parser.add_argument("--host", default=os.environ.get("CELLWRIGHT_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("CELLWRIGHT_PORT", PORT)))
    parser.add_argument("--home", type=Path, default=default_home(), help="the folder of the database")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    serve(given.home, given.host, given.port)


if __name__ == "__main__":
    main()
