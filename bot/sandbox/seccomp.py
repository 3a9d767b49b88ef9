"""The sandbox's system call filter: a readable deny-list, and the few lines that turn it into classic BPF.

Namespaces and dropped capabilities are the wall; the filter takes away what reaches around it (other machines' sockets, the terminal,
memory that no watchdog sees) and the parts of the kernel that have let others through.
"""

import errno
import platform
import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """How a machine names itself to seccomp; `column` picks its numbers from DENIED."""

    audit: int
    column: int


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}

_ABSENT = -1
DENIED: dict[str, tuple[int, int, int]] = {
    # name: (x86_64, aarch64, errno); ENOSYS where programs know how to go on without the call
    "ptrace": (101, 117, errno.EPERM),
    "process_vm_readv": (310, 270, errno.EPERM),
    "process_vm_writev": (311, 271, errno.EPERM),
    "kcmp": (312, 272, errno.EPERM),
    "pidfd_getfd": (438, 438, errno.EPERM),
    "unshare": (272, 97, errno.EPERM),
    "setns": (308, 268, errno.EPERM),
    "clone3": (435, 435, errno.ENOSYS),  # its flags lie behind a pointer; libc falls back to clone
    "mount": (165, 40, errno.EPERM),
    "umount2": (166, 39, errno.EPERM),
    "pivot_root": (155, 41, errno.EPERM),
    "chroot": (161, 51, errno.EPERM),
    "open_tree": (428, 428, errno.EPERM),
    "move_mount": (429, 429, errno.EPERM),
    "fsopen": (430, 430, errno.EPERM),
    "fsconfig": (431, 431, errno.EPERM),
    "fsmount": (432, 432, errno.EPERM),
    "fspick": (433, 433, errno.EPERM),
    "mount_setattr": (442, 442, errno.EPERM),
    "open_by_handle_at": (304, 265, errno.EPERM),
    "name_to_handle_at": (303, 264, errno.EPERM),
    "fanotify_init": (300, 262, errno.EPERM),
    "quotactl": (179, 60, errno.EPERM),
    "quotactl_fd": (443, 443, errno.EPERM),
    "bpf": (321, 280, errno.EPERM),
    "perf_event_open": (298, 241, errno.EPERM),
    "userfaultfd": (323, 282, errno.ENOSYS),
    "io_uring_setup": (425, 425, errno.ENOSYS),
    "io_uring_enter": (426, 426, errno.ENOSYS),
    "io_uring_register": (427, 427, errno.ENOSYS),
    "add_key": (248, 217, errno.ENOSYS),
    "request_key": (249, 218, errno.ENOSYS),
    "keyctl": (250, 219, errno.ENOSYS),
    "memfd_create": (319, 279, errno.ENOSYS),  # unmapped, its pages are in nobody's resident set
    "memfd_secret": (447, 447, errno.ENOSYS),
    "kexec_load": (246, 104, errno.EPERM),
    "kexec_file_load": (320, 294, errno.EPERM),
    "init_module": (175, 105, errno.EPERM),
    "finit_module": (313, 273, errno.EPERM),
    "delete_module": (176, 106, errno.EPERM),
    "syslog": (103, 116, errno.EPERM),
    "acct": (163, 89, errno.EPERM),
    "swapon": (167, 224, errno.EPERM),
    "swapoff": (168, 225, errno.EPERM),
    "reboot": (169, 142, errno.EPERM),
    "settimeofday": (164, 170, errno.EPERM),
    "clock_settime": (227, 112, errno.EPERM),
    "clock_adjtime": (305, 266, errno.EPERM),
    "adjtimex": (159, 171, errno.EPERM),
    "sethostname": (170, 161, errno.EPERM),
    "setdomainname": (171, 162, errno.EPERM),
    "personality": (135, 92, errno.EPERM),  # but for reading and plain Linux: see ARGUMENTS
    "iopl": (172, _ABSENT, errno.EPERM),
    "ioperm": (173, _ABSENT, errno.EPERM),
    "modify_ldt": (154, _ABSENT, errno.EPERM),
    "uselib": (134, _ABSENT, errno.ENOSYS),
    "lookup_dcookie": (212, 18, errno.ENOSYS),
    "move_pages": (279, 239, errno.EPERM),
    "migrate_pages": (256, 238, errno.EPERM),
    "vhangup": (153, 58, errno.EPERM),
}

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCKET_FAMILIES = (AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)
"""All others are refused: a network namespace does not hold AF_VSOCK, and AF_ALG, AF_PACKET and their like are attack surface."""
TERMINAL_IOCTLS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX type into somebody else's terminal."""
NEW_NAMESPACES = 0x7E020000
"""Every CLONE_NEW* flag that clone takes."""
SHARED_SEGMENT_BYTES = 65_536
"""The largest System V segment: its pages too are nobody's while it is detached; databases ask for less than a page."""
PLAIN_PERSONALITIES = (0, 0x0008, 0x00040000, 0xFFFFFFFF)

_SOCKET, _CLONE, _IOCTL, _SHMGET = (41, 198), (56, 220), (16, 29), (29, 194)

_LD, _AND, _JEQ, _JGT, _JGE, _RET = 0x20, 0x54, 0x15, 0x25, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NR, _ARCH = 0, 4


def program(machine: str | None = None) -> bytes:
    """The filter as the kernel wants it: an array of struct sock_filter, to be read by bubblewrap's `--seccomp`.

    Raises LookupError for a machine that we have no numbers for.
    """
    known = MACHINES[machine or platform.machine()]
    column = known.column
    lines = [_op(_LD, _ARCH), _op(_JEQ, known.audit, 1, 0), _op(_RET, _KILL), _op(_LD, _NR)]
    if column == 0:
        # The x32 calls are the same kernel functions under other numbers.
        lines += [_op(_JGE, 0x40000000, 0, 1), _op(_RET, _KILL)]
    for name, row in DENIED.items():
        if row[column] != _ABSENT and name != "personality":
            lines += [_op(_JEQ, row[column], 0, 1), _op(_RET, _ERRNO | row[2])]
    personality = DENIED["personality"]
    lines += _unless_equal(personality[column], 0, PLAIN_PERSONALITIES, personality[2])
    lines += _unless_equal(_SOCKET[column], 0, SOCKET_FAMILIES, errno.EAFNOSUPPORT)
    lines += _if_equal(_IOCTL[column], 1, TERMINAL_IOCTLS, errno.EPERM)
    lines += _block(
        _CLONE[column],
        [_op(_LD, _low(0)), _op(_AND, NEW_NAMESPACES), _op(_JEQ, 0, 1, 0), _op(_RET, _ERRNO | errno.EPERM)],
    )
    too_large = _op(_RET, _ERRNO | errno.ENOMEM)
    small = [_op(_LD, _low(1)), _op(_JGT, SHARED_SEGMENT_BYTES, 0, 1), too_large]
    lines += _block(_SHMGET[column], [_op(_LD, _low(1) + 4), _op(_JEQ, 0, 1, 0), too_large, *small])
    return b"".join([*lines, _op(_RET, _ALLOW)])


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _low(argument: int) -> int:
    """Offset of the low half of an argument, on little-endian machines."""
    return 16 + 8 * argument


def _block(number: int, lines: list[bytes]) -> list[bytes]:
    """`lines` for that call only, ending in allow; the call's number must be loaded and stays so for the next block."""
    body = [*lines, _op(_RET, _ALLOW)]
    return [_op(_JEQ, number, 0, len(body)), *body]


def _unless_equal(number: int, argument: int, good: tuple[int, ...], error: int) -> list[bytes]:
    tests = [_op(_JEQ, value, len(good) - i, 0) for i, value in enumerate(good)]
    return _block(number, [_op(_LD, _low(argument)), *tests, _op(_RET, _ERRNO | error)])


def _if_equal(number: int, argument: int, bad: tuple[int, ...], error: int) -> list[bytes]:
    tests = [_op(_JEQ, value, len(bad) - i, 0) for i, value in enumerate(bad)]
    return _block(number, [_op(_LD, _low(argument)), *tests, _op(_RET, _ALLOW), _op(_RET, _ERRNO | error)])
