"""SECURITY.md 15: what a command in bubblewrap sees, and what it can't do."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox_worlds import WORKER, make_checkout, says, sh

from bot.ports import Permanent, SandboxRun
from bot.sandbox.bubblewrap import Bubblewrap


async def test_a_command_edits_files_and_the_base_stays_as_it_was(bubblewrap, overlay):
    checkout = overlay()
    assert await says(bubblewrap, checkout, "echo more >> seed; cat seed") == "seed\nmore\n"
    assert (checkout.base / "seed").read_text() == "seed\n"
    assert (checkout.upper / "seed").read_text() == "seed\nmore\n"


async def test_a_later_command_sees_what_an_earlier_one_wrote(bubblewrap, overlay):
    checkout = overlay()
    await sh(bubblewrap, checkout, "mkdir d; echo x > d/new; rm seed")
    assert await says(bubblewrap, checkout, "find . -type f") == "./d/new\n"


async def test_a_copy_serves_where_overlays_do_not_work(bubblewrap, tmp_path):
    checkout = make_checkout(tmp_path / "c", bubblewrap.owner(), copy=True)
    await sh(bubblewrap, checkout, "echo x > new")
    assert checkout.copy is not None
    assert (checkout.copy / "new").read_text() == "x\n"


async def test_a_command_starts_in_the_directory_asked_for(bubblewrap, overlay):
    checkout = overlay()
    await sh(bubblewrap, checkout, "mkdir -p a/b")
    assert await says(bubblewrap, checkout, "pwd", cwd="a/b") == "/work/a/b\n"


async def test_a_directory_that_is_not_there_is_the_command_s_failure(bubblewrap, overlay):
    ended = await sh(bubblewrap, overlay(), "pwd", cwd="nowhere")
    assert ended.exit_code == 126


@pytest.mark.parametrize("cwd", ["/etc", "../x", "a/../../b"])
async def test_a_directory_outside_is_refused(bubblewrap, overlay, cwd):
    with pytest.raises(Permanent):
        await sh(bubblewrap, overlay(), "pwd", cwd=cwd)


async def test_the_worker_is_a_plain_uid_without_any_capability(bubblewrap, overlay):
    checkout = overlay()
    assert await says(bubblewrap, checkout, "id -u") == f"{bubblewrap.owner()[0]}\n"
    status = await says(
        bubblewrap, checkout, "grep -E 'Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp:' /proc/self/status | cut -f2"
    )
    assert status.split() == ["0" * 16] * 4 + ["1", "2"]


def test_a_sandbox_for_uid_0_is_refused(tmp_path):
    if os.geteuid() != 0:
        assert os.geteuid() != 0  # a plain user's engine has no uid to choose
        return
    with pytest.raises(OSError, match="must not be 0"):
        Bubblewrap(tmp_path, uid=0)


async def test_the_environment_is_an_allow_list(bubblewrap, overlay):
    lines = (await says(bubblewrap, overlay(), "env", env=(("EXTRA", "1"),))).splitlines()
    names = {line.split("=")[0] for line in lines}
    assert names - {"OLDPWD", "PWD", "RUSTUP_HOME", "_", "SHLVL"} == {
        "CI", "EXTRA", "GIT_TERMINAL_PROMPT", "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER",
    }  # fmt: skip


async def test_home_is_the_worker_s_own_and_lasts(bubblewrap, overlay):
    checkout = overlay()
    await sh(bubblewrap, checkout, "echo x > ~/note")
    assert (checkout.home / "note").read_text() == "x\n"


@pytest.mark.parametrize("path", ["/usr/x", "/etc/x", "/x", "/dev/x", "/home/x", "/bin/x"])
async def test_the_system_is_read_only(bubblewrap, overlay, path):
    assert (await sh(bubblewrap, overlay(), f"echo x > {path}")).exit_code != 0


async def test_etc_holds_nothing_of_the_machine_s_accounts(bubblewrap, overlay):
    text = await says(
        bubblewrap, overlay(), "cat /etc/passwd; ls /etc/shadow /etc/sudoers /etc/ssh /etc/machine-id 2>/dev/null"
    )
    uid, gid = bubblewrap.owner()
    assert text.splitlines() == ["root:x:0:0:root:/root:/bin/sh", f"worker:x:{uid}:{gid}:worker:/home/worker:/bin/sh"]


async def test_private_memory_file_systems_are_bounded(bubblewrap, overlay):
    sizes = await says(bubblewrap, overlay(), "df -m --output=size /tmp /dev/shm | tail -n +2")
    assert sizes.split() == ["1024", "256"]


async def test_tmp_is_empty_in_every_command(bubblewrap, overlay):
    checkout = overlay()
    await sh(bubblewrap, checkout, "echo x > /tmp/x")
    assert await says(bubblewrap, checkout, "ls /tmp/x 2>/dev/null") == ""


async def test_the_only_network_is_a_loopback_of_its_own(bubblewrap, overlay):
    assert await says(bubblewrap, overlay(), "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '") == "lo\n"


async def test_only_its_own_processes_are_there(bubblewrap, overlay):
    count = await says(bubblewrap, overlay(), "ls -d /proc/[0-9]* | wc -l")
    assert int(count) <= 6


@pytest.mark.parametrize("call", ["unshare -U true", "unshare -r true", "unshare -m true"])
async def test_no_new_namespaces(bubblewrap, overlay, call):
    assert (await sh(bubblewrap, overlay(), call)).exit_code != 0


async def test_limits_are_set_inside(bubblewrap, overlay):
    limits = await says(bubblewrap, overlay(), "ulimit -n; ulimit -H -c; ulimit -f; ulimit -p", processes=77)
    assert limits.split() == ["4096", "0", str(2048 * 2048), "77"]


async def test_no_descriptor_of_ours_is_inherited(bubblewrap, overlay):
    fds = await says(bubblewrap, overlay(), "for fd in /proc/$$/fd/*; do readlink $fd; done")
    assert not [line for line in fds.split() if "lock" in line or "seccomp" in line or "mnt:" in line]
    assert len(fds.split()) <= 4


async def test_user_namespaces_are_off_even_without_the_filter(tmp_path):
    sandbox = Bubblewrap(tmp_path / "engine", uid=WORKER)
    allow_all = struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000)
    (tmp_path / "engine/sandbox/seccomp.bpf").write_bytes(allow_all)
    try:
        checkout = make_checkout(tmp_path / "c", sandbox.owner())
        assert (await sh(sandbox, checkout, "unshare -U true")).exit_code != 0
        assert await says(sandbox, checkout, "grep Seccomp: /proc/self/status | cut -f2") == "2\n"
    finally:
        sandbox.close()
        (tmp_path / "c/scratch/work").chmod(0o700)


async def test_a_command_is_in_a_session_of_its_own(bubblewrap, overlay):
    # A session that began outside reads as 0 from inside the process namespace.
    session = await says(bubblewrap, overlay(), "cut -d' ' -f6 /proc/self/stat")
    assert int(session) > 0


async def test_there_is_no_terminal(bubblewrap, overlay):
    assert (await sh(bubblewrap, overlay(), "echo x > /dev/tty")).exit_code != 0


async def test_files_that_a_copy_left_with_a_set_uid_bit_give_nothing(bubblewrap, overlay):
    checkout = overlay()
    text = await says(
        bubblewrap, checkout, "cp /usr/bin/id own-id; chmod 4755 own-id; ./own-id -u; ls -l own-id | cut -c1-4"
    )
    assert text.split() == [str(bubblewrap.owner()[0]), "-rws"]


async def test_a_sandbox_that_can_t_be_set_up_is_no_failing_test(bubblewrap, overlay):
    checkout = overlay()
    (checkout.base / "seed").unlink()
    checkout.base.rmdir()
    with pytest.raises(Permanent, match="could not be set up"):
        await sh(bubblewrap, checkout, "true")


async def test_standard_input_is_what_was_given(bubblewrap, overlay):
    data = b"x" * 300_000
    assert (await sh(bubblewrap, overlay(), "wc -c", stdin=data)).output.strip() == b"300000"


async def test_standard_input_can_t_be_made_to_grow(bubblewrap, overlay):
    ended = await sh(bubblewrap, overlay(), "head -c 1000000 /dev/zero >> /proc/self/fd/0", stdin=b"x", timeout=20)
    assert ended.exit_code != 0


async def test_output_and_errors_can_be_kept_apart_byte_for_byte(bubblewrap, overlay):
    ended = await sh(bubblewrap, overlay(), r"printf '\000\377'; echo no >&2", separate_stderr=True)
    assert (ended.output, ended.stderr) == (b"\x00\xff", b"no\n")


class TestToolchains:
    """What lies on PATH below a home is there, and nothing else of that home."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        home = tmp_path / "someone"
        for name in (".nvm/versions/node/v1/bin", ".nvm/versions/node/v1/lib", ".ssh", "project/.git"):
            (home / name).mkdir(parents=True)
        tool = home / ".nvm/versions/node/v1/bin/tool"
        tool.write_text('#!/bin/sh\ncat "$(dirname "$0")/../lib/part"\n')
        tool.chmod(0o755)
        (home / ".nvm/versions/node/v1/lib/part").write_text("part\n")
        (home / ".ssh/id").write_text("secret\n")
        (home / "project/.git/config").write_text("secret\n")
        if os.geteuid() == 0:
            # The worker's own files, so that only the way they are mounted keeps it from changing them.
            for path in (home / ".nvm").rglob("*"):
                os.chown(path, WORKER, WORKER)
        home.chmod(0o700)
        return home

    async def test_a_tool_runs_with_the_parts_that_lie_beside_it(self, home, tmp_path):
        text = await self.tell(home, tmp_path, "tool")
        assert text == "part\n"

    async def test_nothing_else_of_the_home_is_visible(self, home, tmp_path):
        text = await self.tell(
            home, tmp_path, f"ls -A {home}; cat {home}/.ssh/id {home}/project/.git/config 2>/dev/null"
        )
        assert text == ".nvm\n"

    async def test_a_tool_can_t_be_changed(self, home, tmp_path):
        text = await self.tell(home, tmp_path, f"echo x > {home}/.nvm/versions/node/v1/lib/part || echo refused")
        assert text.endswith("refused\n")

    async def test_the_interpreter_of_an_environment_comes_with_it(self, tmp_path):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
        text = await self.run(tmp_path, str(tmp_path / "venv/bin"), "python -c 'import sys, json; print(sys.prefix)'")
        assert text == f"{tmp_path}/venv\n"

    async def tell(self, home: Path, tmp_path: Path, script: str) -> str:
        return await self.run(tmp_path, f"{home}/.nvm/versions/node/v1/bin", script)

    async def run(self, tmp_path: Path, path: str, script: str) -> str:
        sandbox = Bubblewrap(tmp_path / "engine", uid=WORKER, path=f"{path}:{os.defpath}")
        try:
            checkout = make_checkout(tmp_path / "c", sandbox.owner(), copy=True)
            ended = await sandbox.run(SandboxRun(checkout, ("sh", "-c", script)))
            return ended.output.decode()
        finally:
            sandbox.close()
