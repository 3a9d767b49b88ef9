"""The system call filter: what it says no to, and that ordinary programs do not notice it."""

import platform
import shutil
import struct
import textwrap

import pytest
from sandbox_worlds import says, sh

from bot.sandbox import seccomp

PERL_NUMBERS = {name: row[0 if platform.machine() == "x86_64" else 1] for name, row in seccomp.DENIED.items()}


@pytest.mark.fast
@pytest.mark.parametrize("machine", sorted(seccomp.MACHINES))
def test_the_program_is_well_formed_for_each_machine(machine):
    program = seccomp.program(machine)
    lines = list(struct.iter_unpack("<HBBI", program))
    for at, (code, if_true, if_false, _value) in enumerate(lines):
        if code & 0x07 == 0x05:
            assert at + 1 + max(if_true, if_false) < len(lines)
    assert lines[-1] == (0x06, 0, 0, 0x7FFF0000)
    assert len(lines) < 4096


@pytest.mark.fast
def test_a_machine_without_numbers_is_refused():
    with pytest.raises(LookupError):
        seccomp.program("vax")


def run_bpf(program: bytes, number: int, *arguments: int, arch: int = seccomp.MACHINES["x86_64"].audit) -> int:
    """What the kernel would answer, by a little interpreter of the instructions that we use."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *(*arguments, *[0] * (6 - len(arguments))))
    lines = list(struct.iter_unpack("<HBBI", program))
    at, value = 0, 0
    while True:
        code, if_true, if_false, k = lines[at]
        at += 1
        match code:
            case 0x20:
                value = struct.unpack_from("<I", data, k)[0]
            case 0x54:
                value &= k
            case 0x15:
                at += if_true if value == k else if_false
            case 0x25:
                at += if_true if value > k else if_false
            case 0x35:
                at += if_true if value >= k else if_false
            case 0x06:
                return k
            case _:
                raise AssertionError(code)


ALLOW, KILL = 0x7FFF0000, 0x80000000


@pytest.mark.fast
@pytest.mark.parametrize(
    ("number", "arguments", "answer"),
    [
        (0, (), ALLOW),  # read
        (101, (), 0x50001),  # ptrace
        (41, (1,), ALLOW),  # socket(AF_UNIX)
        (41, (10,), ALLOW),  # socket(AF_INET6)
        (41, (40,), 0x50061),  # socket(AF_VSOCK)
        (16, (0, 0x5412), 0x50001),  # ioctl(TIOCSTI)
        (16, (0, 0xFFFF_FFFF_0000_5412), 0x50001),  # the kernel looks at the low half only, and so do we
        (16, (0, 0x5401), ALLOW),  # ioctl(TCGETS)
        (56, (0x01200011,), ALLOW),  # clone, as fork does it
        (56, (0x10000011,), 0x50001),  # clone(CLONE_NEWUSER)
        (29, (0, 4096), ALLOW),  # shmget
        (29, (0, 1 << 20), 0x5000C),
        (29, (0, 1 << 32), 0x5000C),
        (135, (0xFFFFFFFF,), ALLOW),  # personality, asked
        (135, (0x0400000,), 0x50001),  # READ_IMPLIES_EXEC
        (0x40000000 | 101, (), KILL),  # x32
    ],
)
def test_what_the_filter_answers(number, arguments, answer):
    assert run_bpf(seccomp.program("x86_64"), number, *arguments) == answer


@pytest.mark.fast
def test_a_call_by_another_machine_s_numbers_is_killed():
    assert run_bpf(seccomp.program("x86_64"), 0, arch=0x40000003) == KILL


@pytest.mark.parametrize("name", ["ptrace", "io_uring_setup", "memfd_create", "keyctl", "bpf", "userfaultfd", "mount"])
async def test_the_kernel_takes_the_filter(bubblewrap, overlay, name):
    wanted = seccomp.DENIED[name][2]
    script = f"perl -e 'syscall({PERL_NUMBERS[name]}, 0, 0, 0, 0, 0); print $!+0'"
    assert await says(bubblewrap, overlay(), script) == str(wanted)


async def test_ordinary_programs_do_not_notice(bubblewrap, overlay):
    script = textwrap.dedent("""
        set -e
        git init -q repo && cd repo && git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m x
        perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
            IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport) or die; print "net "'
        seq 1 1000 | sort -R | sort -n | tail -1
    """)
    ended = await sh(bubblewrap, overlay(), script)
    assert ended.output == b"net 1000\n"


@pytest.mark.parametrize("program", ["node", "go", "java"])
async def test_runtimes_start(bubblewrap, overlay, program):
    found = shutil.which(program, path=bubblewrap.toolchains.path)
    flag = {"go": "version", "java": "-version"}.get(program, "--version")
    ended = await sh(bubblewrap, overlay(), f"{program} {flag}")
    assert ended.exit_code == (0 if found else 127)
