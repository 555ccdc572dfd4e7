"""Saving ministack's state within a second of a change, so that a cloud that is killed has lost nothing older.

ministack gives each service's state as deep copies of its dictionaries. Python's own deep copy walks them while
requests go on changing them, which ends in "dictionary changed size during iteration", and takes the interpreter from
the requests for long. Here a dictionary is copied in one step that nothing can come between, then what is in it.
"""

import copy
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import ministack.app
import ministack.services.cloudformation
from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

log = logging.getLogger(__name__)

_GATHER_S: Final = 0.2
"""What changes together is saved together."""
_REST_S: Final = (0.1, 0.5)
"""Shortest and longest rest after a save: with the gathering and the save itself, less than a second."""
_ATTEMPTS: Final = 5
_FIRST_PAUSE_S: Final = 0.01
_PLAIN: Final = (str, int, float, bool, bytes, type(None))

States = Mapping[str, Callable[[], Any]]
"""What gives each service's state, by the name of its file."""


class QuickCopy:
    """Stands for the module ``copy`` in ministack's services: deep copies that may be made beside changes."""

    copy = staticmethod(copy.copy)

    @classmethod
    def deepcopy(cls, value: Any, memo: Any = None) -> Any:
        """Return a copy of a tree of plain values; what is no such tree is copied as Python does it."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is dict:
            # dict(), list() and set() of a plain container are one step of the interpreter.
            return {key: cls.deepcopy(each) for key, each in dict(value).items()}
        if kind in {list, tuple, set}:
            return kind(cls.deepcopy(each) for each in kind(value))
        if kind in {AccountScopedDict, AccountRegionScopedDict}:
            made = kind()
            made._data = cls.deepcopy(value._data)
            return made
        return copy.deepcopy(value, memo)


def copy_quickly(_cloud: object = None) -> None:
    """Let the services copy their state in steps that nothing can come between."""
    for name in ministack.app._state_map.values():
        module = sys.modules.get(f"ministack.services.{name}")
        if module is not None and getattr(module, "copy", None) is copy:
            module.copy = QuickCopy  # type: ignore[attr-defined]


def states() -> States:
    """Return what gives the state of each of ministack's services.

    CloudFormation's is most of it, and ministack only copies it, which takes longer than to write it down. The encoder
    writes a store down in one step of the interpreter, so it needs no copy.
    """
    stores = ministack.services.cloudformation._PERSISTED_STORES
    return {
        **ministack.app._build_persistence_save_dict(),
        "cloudformation": lambda: {name: store() for store, name in stores},
    }


class Saver:
    """Writes ministack's state to disk soon after a change, and on stop.

    Args:
        states: Gives what is saved, by the name of its file; ministack's services when left out.
        folder: Gives where it goes.
    """

    def __init__(
        self,
        states: Callable[[], States] = states,
        folder: Callable[[], Path] = lambda: Path(persistence.STATE_DIR),
    ) -> None:
        self._states = states
        self._folder = folder
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._written: dict[str, int] = {}
        self._unsaved: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="save-state", daemon=True)

    def start(self) -> None:
        """Begin to watch for changes."""
        self._thread.start()

    def changed(self) -> None:
        """Say that something may have changed."""
        self._changed.set()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stopped.set()
        self._changed.set()
        self._thread.join()

    @property
    def unsaved(self) -> dict[str, str]:
        """Services whose last save did not happen, with the reason; each is tried again within a second."""
        return dict(self._unsaved)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._changed.wait()
            self._stopped.wait(_GATHER_S)
            self._changed.clear()
            started = time.monotonic()
            self.save()
            shortest_s, longest_s = _REST_S
            self._stopped.wait(min(max(shortest_s, 9 * (time.monotonic() - started)), longest_s))
        self.save()

    def save(self) -> None:
        """Write the files of the services whose state has changed; what cannot be written is kept for the next time."""
        copy_quickly()
        for service, get_state in self._states().items():
            try:
                self._save_service(service, get_state)
            except Exception as error:  # noqa: BLE001  a thread that ends would save nothing ever again
                reason = f"{type(error).__name__}: {error}"
                if service not in self._unsaved:
                    log.warning("the state of %s could not be saved, and is tried again: %s", service, reason)
                self._unsaved[service] = reason
                self._changed.set()
            else:
                if self._unsaved.pop(service, None):
                    log.warning("the state of %s is saved again", service)

    def _save_service(self, service: str, get_state: Callable[[], Any]) -> None:
        text = _written_down(service, get_state)
        if text is None or self._written.get(service) == hash(text):
            return
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"{service}.json.tmp"
        fresh.write_text(text)
        fresh.replace(folder / f"{service}.json")
        self._written[service] = hash(text)


def _written_down(service: str, get_state: Callable[[], Any]) -> str | None:
    """Return a service's state as text; a request may change it meanwhile, then once more from the beginning."""
    for attempt in range(_ATTEMPTS):
        try:
            state = get_state()
            if state is None:
                return None
            content = {"__ministack_format__": persistence._state_format_version(service), "payload": state}
            # One string by the C encoder is ten times faster than ministack's streaming.
            return json.dumps(content, default=persistence._json_default)
        except RuntimeError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_FIRST_PAUSE_S * 2**attempt)
    return None
