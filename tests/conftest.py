"""What every test shares: the disk cache of the tests is their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# PyTorch's threads spin beside ours; on two cores that makes both crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def own_disk_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A test neither reads what another version compiled nor fills the user's cache.

    `FLAMBEAU_CACHE` says otherwise where it is set, as .ci/run does.
    """
    from flambeau.core.config import config

    if "FLAMBEAU_CACHE" in os.environ:
        yield Path(config.cache_dir or os.devnull)
        return
    folder = tmp_path_factory.mktemp("flambeau-cache")
    os.environ["FLAMBEAU_CACHE"] = str(folder)
    with config(cache_dir=folder):
        yield folder
    del os.environ["FLAMBEAU_CACHE"]
