"""Facts about the machine, and the settings."""

from __future__ import annotations

import os
import struct
import sys

import pytest

from flambeau.core.config import Config, config
from flambeau.runtime import machine


def test_vector_width_follows_the_features(monkeypatch):
    for names, width in ((("avx512f", "avx"), 64), (("avx", "avx2"), 32), (("neon",), 16)):
        monkeypatch.setattr(machine, "features", lambda names=names: frozenset(names))
        assert machine.vector_bytes() == width


def test_cache_sizes_grow_with_the_level():
    sizes = machine.cache_sizes()
    assert 4096 <= sizes.l1d <= sizes.l2
    assert sizes.l3 >= sizes.l1d


def test_cache_sizes_of_sysfs(tmp_path):
    rows = [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2048K"),
            ("3", "Unified", "1G")]  # fmt: skip
    for number, row in enumerate(rows):
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        for name, text in zip(("level", "type", "size"), row, strict=True):
            (folder / name).write_text(text + "\n")
    (tmp_path / "uevent").write_text("")
    assert machine._caches_of_sysfs(str(tmp_path)) == {1: 48 << 10, 2: 2 << 20, 3: 1 << 30}
    assert machine._caches_of_sysfs(str(tmp_path / "absent")) == {}


def test_cache_sizes_of_a_windows_table():
    def record(relation, level=0, size=0, kind=0):
        return struct.pack("<QIxxxxBBHII4x", 1, relation, level, 8, 64, size, kind)

    table = record(0) + record(2, 1, 32768, 2) + record(2, 1, 65536, 1) + record(2, 3, 1 << 24, 0)
    assert machine._caches_in_table(table) == {1: 32768, 3: 1 << 24}


def test_missing_levels_are_filled_in():
    assert machine._complete({1: 65536, 2: 4 << 20}).l3 == 4 << 20
    assert machine._complete({}).l2 > machine._complete({}).l1d


def test_peak_and_bandwidth_are_plausible():
    peak = machine.measure_peak()
    assert 1 < peak.one_thread < 2000
    assert peak.all_threads > 0.5 * peak.one_thread
    assert 0.5 < machine.measure_bandwidth(16 << 20) < 20_000


def test_description_is_text():
    assert {"processor", "vector", "threads", "caches"} <= machine.description().keys()
    assert all(isinstance(value, str) for value in machine.description().values())
    assert machine.cpu_name() == machine.description()["processor"]


def test_settings_from_the_environment():
    settings = Config(
        {
            "FLAMBEAU_NUM_THREADS": "3",
            "FLAMBEAU_CACHE": "off",
            "FLAMBEAU_SHOW": "graph, cache",
            "FLAMBEAU_EAGER": "1",
        }
    )
    assert settings.num_threads == 3
    assert settings.cache_dir is None
    assert settings.show == {"graph", "cache"}
    assert settings.check == frozenset()
    assert settings.eager is True


def test_default_cache_directory():
    assert Config({"FLAMBEAU_CACHE": "0"}).cache_dir is None
    assert Config({"FLAMBEAU_CACHE": "/y"}).cache_dir == os.path.abspath("/y")
    if sys.platform == "win32":
        assert Config({"LOCALAPPDATA": "C:\\x"}).cache_dir == "C:\\x\\flambeau\\cache"
        assert Config({}).cache_dir is None
        return
    assert Config({"XDG_CACHE_HOME": "/x"}).cache_dir == "/x/flambeau"
    relative = Config({"XDG_CACHE_HOME": "x"}).cache_dir
    assert relative is None or relative.startswith(os.path.expanduser("~"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("show", "grahp"), ("check", {"nothing"}), ("num_threads", 0), ("num_threads", "many")],
)
def test_bad_settings(name, value):
    before = getattr(config, name)
    with pytest.raises(ValueError, match=name), config(**{name: value}):
        pass
    assert getattr(config, name) == before


def test_unknown_setting():
    with pytest.raises(AttributeError, match="no setting 'shwo'"), config(shwo={"graph"}):
        pass


def test_settings_come_back_after_an_error():
    before = config.show
    with pytest.raises(KeyError), config(show={"llvm"}, num_threads=2):
        assert config.show == {"llvm"}
        raise KeyError
    assert config.show == before
