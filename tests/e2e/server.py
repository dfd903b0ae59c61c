"""One JupyterLab or Notebook 7 server that knows nothing of the user's own settings."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import nbformat

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

Host = Literal["lab", "notebook"]

REPOSITORY = Path(__file__).resolve().parents[2]
START_LIMIT = 60.0  # seconds
STOP_LIMIT = 10.0

# Nothing may cover a notebook, and cells out of sight must stay in the document.
SETTINGS: dict[str, dict[str, object]] = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}

# Every place where Jupyter, IPython and their libraries keep what belongs to a user.
DIRECTORIES = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
    "XDG_CONFIG_HOME": "xdg-config",
    "XDG_CACHE_HOME": "xdg-cache",
    "XDG_DATA_HOME": "xdg-data",
    "XDG_STATE_HOME": "xdg-state",
}


class Server:
    """A running server on a free loopback port, with notebooks in a directory of its own.

    Parameters
    ----------
    host
        ``"lab"`` for JupyterLab, ``"notebook"`` for Notebook 7.
    packages
        A directory of packages that its kernels import before the installed ones.
    """

    def __init__(self, host: Host, packages: Path | None = None) -> None:
        self.host = host
        self.packages = packages
        self._home = tempfile.TemporaryDirectory(prefix="cnnwidgets-e2e-")
        self.home = Path(self._home.name)
        self.notebooks = self.home / "notebooks"
        self.notebooks.mkdir()
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._log = (self.home / "server.log").open("wb")
        self._process = subprocess.Popen(
            self._command(),
            cwd=self.notebooks,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._await_answer(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def write(self, *cells: str, name: str | None = None) -> str:
        """Save a notebook of code cells, a new one without `name`, and return its file name."""
        name = name or f"{len(list(self.notebooks.glob('*.ipynb')))}.ipynb"
        notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, self.notebooks / name)  # type: ignore[no-untyped-call]
        return name

    def address(self, name: str) -> str:
        """Return where the host shows that notebook alone, without a remembered layout."""
        path = f"doc/tree/{name}?reset" if self.host == "lab" else f"notebooks/{name}"
        return f"{self.url}/{path}"

    def log(self) -> str:
        """Return the last lines of what the server printed."""
        return (self.home / "server.log").read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        """End the server, its kernels and its directory."""
        if self._process and self._process.poll() is None:
            self._shut_down(self._process)
        if self._log:
            self._log.close()
        with contextlib.suppress(OSError):  # a dying kernel may still write its history
            self._home.cleanup()

    def _shut_down(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):  # asking lets it end its kernels
            urllib.request.urlopen(
                urllib.request.Request(f"{self.url}/api/shutdown", data=b"", method="POST"),
                timeout=STOP_LIMIT,
            ).close()
        for harder in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_LIMIT)
                return
            os.killpg(process.pid, harder)
        process.wait()

    def _command(self) -> list[str]:
        module, app = {
            "lab": ("jupyterlab", "LabApp"),
            "notebook": ("notebook", "JupyterNotebookApp"),
        }[self.host]
        return [
            *(sys.executable, "-m", module, "--no-browser", "--allow-root"),
            f"--ServerApp.root_dir={self.notebooks}",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.url.rpartition(':')[2]}",
            "--ServerApp.port_retries=0",
            "--ServerApp.disable_check_xsrf=True",
            "--ServerApp.terminals_enabled=False",
            "--IdentityProvider.token=",
            "--LabApp.extension_manager=readonly",
            f"--{app}.expose_app_in_browser=True",
        ]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "JPY_"))}
        own = {variable: str(self.home / name) for variable, name in DIRECTORIES.items()}
        for directory in own.values():
            Path(directory).mkdir(exist_ok=True)
        for plugin, values in SETTINGS.items():
            file = self.home / "settings" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        # So that kernels can import tests.e2e.toy.
        imported = [str(path) for path in (self.packages, REPOSITORY) if path]
        return {
            **kept,
            **own,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")]),
            "PYTHONPATH": os.pathsep.join([*imported, kept.get("PYTHONPATH", "")]),
            "NO_PROXY": "127.0.0.1",
        }

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            if process.poll() is not None:
                raise RuntimeError(f"{self.host} ended with {process.returncode}:\n{self.log()}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/api/status", timeout=2).close()
                return
            time.sleep(0.1)
        raise TimeoutError(f"{self.host} did not answer in {START_LIMIT} s:\n{self.log()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
