"""A safe change, deployed with its lock while runs are in flight."""

from __future__ import annotations

from pathlib import Path

from azure_functions_durable_graph import GraphRegistration
from azure_functions_durable_graph.change.lock import Lock, LockedVersion, next_lock
from azure_functions_durable_graph.testing import GraphHost


def deploy_after(
    host: GraphHost, folder: Path, old: GraphRegistration, new: GraphRegistration, *beside: GraphRegistration
) -> None:
    """Deploy `new`, which takes over the runs of `old`, with other graphs beside it. The change has to be safe."""
    first = next_lock(Lock(), [LockedVersion(old.manifest, {})])
    lock = next_lock(first, [LockedVersion(new.manifest, {})])
    assert lock.graphs[new.graph_name].versions[new.manifest.version].serves == (old.graph_hash,)
    path = folder / "graphs.lock.json"
    path.write_text(lock.to_text(), encoding="utf-8")
    host.deploy(*beside, new, lock=path)
