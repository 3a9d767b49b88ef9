"""The `journeyman` command. Heavy imports happen inside the commands: `web` must stay small."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bot import settings as config
from bot.ports import PortError, UserFacing

OK, FAILED, USAGE, CONFIG = 0, 1, 2, 78


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is the process's: 0 done, 1 failed, 2 wrong usage, 78 can't start as configured."""
    args = _parser().parse_args(argv)
    os.umask(0o077)  # the state holds issue texts and sealed transcripts: nobody else's to read
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        return args.run(args)
    except (config.SettingsProblem, UserFacing) as problem:
        print(f"journeyman: {problem}", file=sys.stderr)
        return CONFIG
    except PortError as problem:
        print(f"journeyman: {problem}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\njourneyman: interrupted; everything that was started has ended", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="journeyman", description="Label an issue; get a reviewed spec and a verified pull request."
    )
    parser.add_argument("--env-file", type=Path, help="read settings from this file instead of $JOURNEYMAN_HOME/env")
    parser.add_argument("--verbose", action="store_true", help="log what goes on")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="the whole loop on this machine, without keys")
    demo.add_argument(
        "--target", choices=("shop", "parse"), default="shop", help="what to work on (default: a small sample repo)"
    )
    demo.add_argument("--keep", action="store_true", help="leave everything up afterwards, to click through")
    demo.set_defaults(run=_demo)
    trial = commands.add_parser("try", help="your repository, your model keys, no GitHub")
    trial.add_argument(
        "--repo", type=Path, required=True, help="a git repository; its work tree, index and HEAD stay untouched"
    )
    trial.add_argument("--issue", type=Path, required=True, help="a Markdown file: the first line is the title")
    trial.add_argument("--i-accept-unsandboxed", action="store_true", help="go on without a sandbox")
    trial.set_defaults(run=_try)
    serve = commands.add_parser("serve", help="web and engine on this machine")
    serve.add_argument(
        "--i-accept-unsandboxed", action="store_true", help="with JOURNEYMAN_SANDBOX=none: go on without a sandbox"
    )
    serve.add_argument(
        "--publish-seconds", type=float, help=argparse.SUPPRESS
    )  # for tests: GitHub's budget is the default's reason
    serve.set_defaults(run=_serve)
    web = commands.add_parser("web", help="take deliveries only")
    web.set_defaults(run=_web)
    engine = commands.add_parser("engine", help="work only")
    engine.add_argument(
        "--i-accept-unsandboxed", action="store_true", help="with JOURNEYMAN_SANDBOX=none: go on without a sandbox"
    )
    engine.add_argument("--publish-seconds", type=float, help=argparse.SUPPRESS)
    engine.set_defaults(run=_engine)
    doctor = commands.add_parser("doctor", help="what is set, found and missing; secrets are masked")
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    doctor.set_defaults(run=_doctor)
    bench = commands.add_parser("bench", help="measure this machine: one JSON object a line")
    bench.add_argument("--only", metavar="GOAL", default="", help="measure one goal only, for example G9")
    bench.set_defaults(run=_bench)
    return parser


def _demo(args: argparse.Namespace) -> int:
    from bot.playground.demo import run_demo

    _interrupt_on_end()
    return run_demo(args.target, keep=args.keep, say=partial(print, flush=True))


def _try(args: argparse.Namespace) -> int:
    from bot.playground.trial import run_trial

    keys = config.load(args.env_file).vendor_environment()
    _interrupt_on_end()
    say = partial(print, flush=True)
    return run_trial(args.repo, args.issue, keys=keys, unsandboxed=args.i_accept_unsandboxed, say=say)


def _interrupt_on_end() -> None:
    """SIGTERM and a closed terminal end like Ctrl-C, so that what was started is stopped and taken away."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell's background job starts with SIGINT ignored
        signal.signal(name, signal.default_int_handler)


def _passed_on(args: argparse.Namespace) -> tuple[str, ...]:
    """The options before the command that children need too."""
    words = ["--env-file", str(args.env_file)] if args.env_file else []
    return (*words, *(["--verbose"] if args.verbose else []))


def _serve(args: argparse.Namespace) -> int:
    from bot.engine.supervisor import Program, end_with_supervisor, supervise

    end_with_supervisor()
    settings = config.load(args.env_file)
    before = _passed_on(args)
    programs = [Program("web", (*before, "web"))]
    missing = settings.missing()
    for sentence in missing:
        print(f"journeyman: {sentence}", file=sys.stderr)
    if missing:
        print(
            f"journeyman: put these into {settings.home / 'env'} and start again; until then no run can start.",
            file=sys.stderr,
        )
    else:
        flags = ("--i-accept-unsandboxed",) if args.i_accept_unsandboxed else ()
        if args.publish_seconds is not None:
            flags = (*flags, "--publish-seconds", str(args.publish_seconds))
        programs.append(Program("engine", (*before, "engine", *flags)))
    return supervise(programs, say=lambda text: print(f"journeyman: {text}", file=sys.stderr))


def _web(args: argparse.Namespace) -> int:
    from bot.engine.supervisor import end_with_supervisor
    from bot.web.app import WebOptions, serve_web

    end_with_supervisor()
    settings = config.load(args.env_file)
    options = WebOptions(settings.home, settings.webhook_secrets, settings.host, settings.port)
    try:
        serve_web(
            options, announce=lambda url: print(f"journeyman: taking deliveries at {url}/webhooks/github", flush=True)
        )
    except OSError as problem:
        raise UserFacing(
            f"{settings.host}:{settings.port} can't be used ({problem.strerror}): set PORT to a free one.", verb=""
        ) from None
    return OK


def _engine(args: argparse.Namespace) -> int:
    import uvloop

    from bot.engine.supervisor import end_with_supervisor
    from bot.wiring import run_engine

    end_with_supervisor()
    settings = config.load(args.env_file)
    if args.publish_seconds is not None:
        settings = replace(settings, publish_seconds=args.publish_seconds)
    if missing := settings.missing():
        raise UserFacing(missing[0], verb="")
    uvloop.run(
        run_engine(
            settings,
            unsandboxed=args.i_accept_unsandboxed,
            ready=lambda: print("journeyman: the engine is ready", flush=True),
        )
    )
    return OK


def _doctor(args: argparse.Namespace) -> int:
    from bot.doctor import run_doctor

    return run_doctor(args.env_file, as_json=args.json, say=print)


def _bench(args: argparse.Namespace) -> int:
    from bot.bench import run_bench

    return run_bench(only=args.only, say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
