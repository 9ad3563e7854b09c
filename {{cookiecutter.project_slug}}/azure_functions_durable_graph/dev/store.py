"""Where the local host keeps its instances: in memory, for as long as the process lives."""

from __future__ import annotations

from .instance import Instance


class MemoryStore:
    """Instances by id, in the order of their start."""

    def __init__(self) -> None:
        self._instances: dict[str, Instance] = {}

    def load(self, instance_id: str) -> Instance | None:
        """The instance, or None."""
        return self._instances.get(instance_id)

    def save(self, instance: Instance) -> None:
        """Keep the instance."""
        self._instances[instance.id] = instance

    def delete(self, instance_id: str) -> None:
        """Forget the instance."""
        self._instances.pop(instance_id, None)

    def all(self) -> list[Instance]:
        """Every instance."""
        return list(self._instances.values())
