"""Quotas of control groups: stand-in files for every arrangement, and real groups where they can be made."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.isolation.cgroups import cpu_quota, memory_quota

ROOT = Path(__file__).parents[3]
GIB = 1 << 30
V2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
MEMORY_V1 = "31 23 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory"
CPU_V1 = "32 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct"
DISK = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"
NONE = "9223372036854771712"


def stand_in(root: Path, membership: str, mounts: str, files: Mapping[str, str]) -> Path:
    """A folder with the files that Linux shows."""
    for name, text in {"proc/self/cgroup": membership, "proc/self/mountinfo": mounts, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    "membership, mounts, files, cpus, memory",
    [
        pytest.param("0::/", f"{DISK}\n{V2}", {}, None, None, id="no limits"),
        pytest.param(
            "0::/",
            V2,
            {"sys/fs/cgroup/cpu.max": "200000 100000", "sys/fs/cgroup/memory.max": f"{4 * GIB}"},
            2.0,
            4 * GIB,
            id="version 2, container",
        ),
        pytest.param(
            "0::/a.slice/b.service",
            V2,
            {
                "sys/fs/cgroup/a.slice/cpu.max": "150000 100000",
                "sys/fs/cgroup/a.slice/memory.max": "max",
                "sys/fs/cgroup/a.slice/b.service/cpu.max": "max 100000",
                "sys/fs/cgroup/a.slice/b.service/memory.max": f"{3 * GIB}",
                "sys/fs/cgroup/a.slice/b.service/memory.high": f"{2 * GIB}",
            },
            1.5,
            2 * GIB,
            id="version 2, ancestors and the softer limit",
        ),
        pytest.param(
            "12:memory:/\n3:cpu,cpuacct:/\n0::/",
            f"{MEMORY_V1}\n{CPU_V1}",
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
            },
            0.5,
            GIB,
            id="version 1, container",
        ),
        pytest.param(
            "12:memory:/job/1\n3:cpu,cpuacct:/job/1",
            f"{MEMORY_V1}\n{CPU_V1}",
            {
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{2 * GIB}",
                "sys/fs/cgroup/memory/job/1/memory.limit_in_bytes": NONE,
                "sys/fs/cgroup/cpu,cpuacct/job/1/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/job/1/cpu.cfs_period_us": "100000",
            },
            None,
            2 * GIB,
            id="version 1, ancestors, no quota",
        ),
        pytest.param(
            "12:memory:/docker/abc",
            MEMORY_V1.replace(" / /sys", " /docker/abc /sys"),
            {"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}"},
            None,
            GIB,
            id="version 1, container without a namespace of its own",
        ),
        pytest.param(
            "0::/../other",
            V2,
            {"sys/fs/cgroup/memory.max": f"{GIB}"},
            None,
            GIB,
            id="version 2, outside of its namespace",
        ),
        pytest.param(
            "0::/",
            V2.replace("/sys/fs/cgroup", "/sys/fs/my\\040cgroup"),
            {"sys/fs/my cgroup/memory.max": f"{GIB}"},
            None,
            GIB,
            id="a mount point with a space",
        ),
        pytest.param("0::/", V2, {"sys/fs/cgroup/cpu.max": "", "sys/fs/cgroup/memory.max": "?"}, None, None, id="odd"),
        pytest.param("", "", {}, None, None, id="no control groups"),
    ],
)
def test_stand_ins(
    tmp_path: Path, membership: str, mounts: str, files: dict[str, str], cpus: float | None, memory: int | None
) -> None:
    root = stand_in(tmp_path, membership, mounts, files)
    found_cpus, found_memory = cpu_quota(root), memory_quota(root)
    assert (found_cpus and found_cpus.amount) == cpus
    assert (found_memory and found_memory.amount) == memory
    for found in filter(None, (found_cpus, found_memory)):
        assert Path(found.file).is_file()


def test_a_system_without_proc(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None and memory_quota(tmp_path) is None


@contextlib.contextmanager
def real_group(controller: str, limits: Mapping[str, str]) -> Iterator[Path]:
    """A control group of version 1 or 2 with limits, gone at the end; skips the test where none can be made."""
    found = (Path("/sys/fs/cgroup", controller), Path("/sys/fs/cgroup"))
    parent = next((path for path in found if (path / "cgroup.procs").exists()), None)
    if parent is None:
        pytest.skip("no control groups are mounted")
    group = parent / f"h5ferry-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    try:
        present = {name: text for name, text in limits.items() if (group / name).exists()}
        if not present:
            pytest.skip(f"the controller {controller} is not given to new groups")
        for name, text in present.items():
            (group / name).write_text(text)
        yield group
    finally:
        group.rmdir()


@pytest.mark.parametrize(
    "controller, limits, expected",
    [
        ("memory", {"memory.max": f"{2 * GIB}", "memory.limit_in_bytes": f"{2 * GIB}"}, {"memory_bytes": 2 * GIB}),
        (
            "cpu",
            {"cpu.max": "110000 100000", "cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "110000"},
            {"cpus": min(2, len(os.sched_getaffinity(0)))},
        ),
    ],
)
def test_real_groups(controller: str, limits: dict[str, str], expected: dict[str, int]) -> None:
    code = (
        "import json, dataclasses; from pipeline.isolation.machine import this_machine;"
        "print(json.dumps(dataclasses.asdict(this_machine())))"
    )
    with real_group(controller, limits) as group:
        command = f'echo $$ > {group}/cgroup.procs && exec {sys.executable} -c "{code}"'
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    assert {name: found[name] for name in expected} == expected
    said = {"memory": found["memory_from"], "cpu": found["cpus_from"]}[controller]
    assert str(group) in said or expected.get("cpus") == len(os.sched_getaffinity(0))
