"""The records of our services: in memory for reading, written through to one SQLite file on every change.

Records are JSON texts in memory too: what goes in and out is always a copy, so no caller can change a record without
the store knowing, and threads need no further locks for reading.
"""

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mlops_foundation.core.arns import AccountId, Region
from mlops_foundation.local.contract import Json, Scope

RECORDS: Final = "records.sqlite"
"""The file, in the state folder."""
_TABLE = """
CREATE TABLE IF NOT EXISTS records (
    service TEXT, account TEXT, region TEXT, kind TEXT, key TEXT, record TEXT,
    PRIMARY KEY (service, account, region, kind, key)
)
"""
_Key = tuple[str, str, str, str, str]


class Database:
    """All records of all services, in one file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(_TABLE)
        rows = self._connection.execute("SELECT * FROM records ORDER BY rowid")
        self._records: dict[_Key, str] = {row[:5]: row[5] for row in rows}

    def close(self) -> None:
        """Close the file; the records stay."""
        with self._lock:
            self._connection.close()

    def of(self, service: str) -> "Records":
        """Return the records of one service."""
        return Records(self, service)

    def read(self, key: _Key) -> Json | None:
        """Return a copy of one record, or None."""
        text = self._records.get(key)
        return None if text is None else json.loads(text)

    def write(self, key: _Key, record: Json) -> None:
        """Create or replace one record."""
        text = json.dumps(record)
        with self._lock:
            self._records[key] = text
            self._connection.execute(
                "INSERT INTO records VALUES (?,?,?,?,?,?) "
                "ON CONFLICT (service, account, region, kind, key) DO UPDATE SET record = excluded.record",
                (*key, text),
            )

    def change(self, key: _Key, change: Callable[[Json], None]) -> Json:
        """Apply ``change`` to one record as one step."""
        with self._lock:
            record: Json = json.loads(self._records[key])
            change(record)
            self.write(key, record)
            return record

    def remove(self, key: _Key) -> Json | None:
        """Remove one record and return it, or None."""
        with self._lock:
            text = self._records.pop(key, None)
            if text is None:
                return None
            self._connection.execute(
                "DELETE FROM records WHERE service=? AND account=? AND region=? AND kind=? AND key=?", key
            )
            return json.loads(text)  # type: ignore[no-any-return]

    def paths(self) -> list[_Key]:
        """Return the keys of all records, oldest first."""
        with self._lock:
            return list(self._records)


class Records:
    """One service's view of the database; see ``Store`` in ``local/contract.py``."""

    def __init__(self, database: Database, service: str) -> None:
        self._database = database
        self._service = service

    def _key(self, scope: Scope, kind: str, key: str) -> _Key:
        return (self._service, scope.account, scope.region, kind, key)

    def get(self, scope: Scope, kind: str, key: str) -> Json | None:
        """Return a copy of a record, or None."""
        return self._database.read(self._key(scope, kind, key))

    def put(self, scope: Scope, kind: str, key: str, record: Json) -> None:
        """Create or replace a record."""
        self._database.write(self._key(scope, kind, key), record)

    def change(self, scope: Scope, kind: str, key: str, change: Callable[[Json], None]) -> Json:
        """Apply ``change`` to a record as one atomic step and return a copy; KeyError when it does not exist."""
        return self._database.change(self._key(scope, kind, key), change)

    def pop(self, scope: Scope, kind: str, key: str) -> Json | None:
        """Remove a record and return it, or None."""
        return self._database.remove(self._key(scope, kind, key))

    def all(self, scope: Scope, kind: str) -> list[Json]:
        """Return copies of all records of a kind, in the order they were created."""
        wanted = (self._service, scope.account, scope.region, kind)
        found = (self._database.read(key) for key in self._database.paths() if key[:4] == wanted)
        return [record for record in found if record is not None]

    def scopes(self) -> list[Scope]:
        """Return every scope that holds records."""
        places = dict.fromkeys(key[1:3] for key in self._database.paths() if key[0] == self._service)
        return [Scope(AccountId(account), Region(region)) for account, region in places]
