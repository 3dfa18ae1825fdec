"""The table of folders that belong to a project elsewhere, as the disk said once; it need not say so again."""

from __future__ import annotations

from importer.state.database import Database

MOVED = "projects_moved"  # the fact that says by which rules the projects of all stored points were looked at last


class FolderProjects:
    """The projects of folders, by state. A row that a power cut takes is found on the disk again, or was never used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, folder: str) -> str:
        """Return the project that a folder belongs to; "" where nothing is known."""
        rows = self._database.rows("SELECT project FROM folders WHERE folder = ?", (folder,))
        return str(rows[0][0]) if rows else ""

    def put(self, folder: str, project: str) -> None:
        """Note the project of a folder, and that stored points may have to move to it; beside a writer do nothing."""
        if self._database.is_reader:
            return
        with self._database.transaction(durable=False) as connection:
            connection.execute("INSERT OR REPLACE INTO folders VALUES (?, ?)", (folder, project))
            connection.execute("DELETE FROM meta WHERE name = ?", (MOVED,))

    def move(self, project: str, to: str, source: str) -> None:
        """Note that what was said of a project is of another one now; `source` "" for every source."""
        if self._database.is_reader:
            return
        sql = "UPDATE {} SET project = ? WHERE project = ? AND ? IN ('', source)"
        with self._database.transaction(durable=False) as connection:
            for table in ("spoken", "conversations"):
                connection.execute(sql.format(table), (to, project, source))
