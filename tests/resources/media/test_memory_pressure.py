"""A process that the system killed for memory is told from one that its file ended."""

import pytest

from resources.media.memory_pressure import has_killed, kill_counts

V1 = "9:name=systemd:/\n4:cpu,memory:/job/7\n0::/\n"


@pytest.fixture
def system(tmp_path):
    """Writes the files in which Linux counts; returns the counts."""

    def write(cgroup, **counts):
        files = {
            "vmstat": "proc/vmstat",
            "v2": "cgroups/job/7/memory.events",
            "v1": "cgroups/memory/job/7/memory.oom_control",
            "own": "cgroups/memory.events",
        }
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/cgroup").write_text(cgroup)
        for name, count in counts.items():
            path = tmp_path / files[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"oom 9\noom_kill {count}\noom_kill_disable 0\noom_group_kill 9\n")
        return kill_counts(tmp_path / "proc", tmp_path / "cgroups")

    return write


@pytest.mark.parametrize(
    ("cgroup", "where"), [("0::/job/7\n", "v2"), (V1, "v1"), ("0::/job/7\n", "own")]
)
def test_a_kill_in_the_container_or_on_the_machine_is_seen(system, cgroup, where):
    before = system(cgroup, vmstat=3, **{where: 1})

    assert not has_killed(before, system(cgroup))
    assert has_killed(before, system(cgroup, **{where: 2}))
    assert has_killed(before, system(cgroup, **{where: 1, "vmstat": 4}))


def test_without_counts_nothing_is_known(tmp_path):
    assert list(kill_counts(tmp_path, tmp_path)) == []
    assert not has_killed([], [])
