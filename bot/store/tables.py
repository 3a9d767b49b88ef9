"""The tables of the main database: runs, what is handled, what must be published, money, and encrypted blobs."""

import sqlalchemy as sa

from bot.store.metadata import metadata

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("repo_id", sa.BigInteger, nullable=False),
    sa.Column("issue", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("installation_id", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, default=0),
    sa.Column("until", sa.Text, nullable=False, default=""),
    sa.Column("doc", sa.Text, nullable=False),
    sa.Index("ix_run_issue", "repo_id", "issue", "number", unique=True),
)
sa.Index(
    "uq_run_active_issue",
    run.c.repo_id,
    run.c.issue,
    unique=True,
    sqlite_where=run.c.active.is_(True),
    postgresql_where=run.c.active.is_(True),
)

handled = sa.Table(
    "handled",
    metadata,
    sa.Column("guid", sa.Text, primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
)

request = sa.Table(
    "request",
    metadata,
    sa.Column("guid", sa.Text, primary_key=True),
    sa.Column("repo_id", sa.BigInteger, nullable=False),
    sa.Column("issue", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Index("ix_request_repo", "repo_id", "at"),
)
"""When people's requests were acted on: what the hourly caps are counted from."""

publication = sa.Table(
    "publication",
    metadata,
    sa.Column("repo_id", sa.BigInteger, primary_key=True),
    sa.Column("issue", sa.Integer, primary_key=True),
    sa.Column("installation_id", sa.BigInteger, nullable=False),
    sa.Column("repo", sa.Text, nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("notice", sa.Text, nullable=False, default=""),
    sa.Column("look", sa.Boolean, nullable=False, default=False),
)
"""What has to be published: `wanted` is ahead of `done` until the publisher has made GitHub equal. `notice` is for issues without a run;
`look`: somebody may have changed what we published, so read GitHub first."""

receipt = sa.Table(
    "receipt",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("installation_id", sa.BigInteger, nullable=False),
    sa.Column("repo", sa.Text, nullable=False),
    sa.Column("issue", sa.Integer, nullable=False),
    sa.Column("comment_id", sa.BigInteger),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False, default=False),
)
"""Reactions that are owed: written with the decision, given after the commit, never twice by our own account."""

progress = sa.Table(
    "progress",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("turn", sa.Integer, nullable=False, default=0),
    sa.Column("doing", sa.Text, nullable=False, default=""),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
)

repository = sa.Table(
    "repository",
    metadata,
    sa.Column("repo_id", sa.BigInteger, primary_key=True),
    sa.Column("installation_id", sa.BigInteger, nullable=False),
    sa.Column("full_name", sa.Text, nullable=False),
    sa.Column("config", sa.Text, nullable=False, default=""),
)
"""What we last read of a repository: its `.github/agent.yml`, so that a delivery is routed without asking GitHub."""

baseline = sa.Table(
    "baseline",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("doc", sa.Text, nullable=False),
)
"""Evidence rows of a base SHA, by repo, SHA, command and sandbox level: the base is proven once."""

charge = sa.Table(
    "charge",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("role", sa.Text, nullable=False, default=""),
    sa.Column("model", sa.Text, nullable=False, default=""),
    sa.Column("input", sa.BigInteger, nullable=False, default=0),
    sa.Column("cache_read", sa.BigInteger, nullable=False, default=0),
    sa.Column("cache_write", sa.BigInteger, nullable=False, default=0),
    sa.Column("output", sa.BigInteger, nullable=False, default=0),
    sa.Column("reasoning", sa.BigInteger, nullable=False, default=0),
    sa.Column("request_id", sa.Text, nullable=False, default=""),
    sa.Column("at", sa.Text, nullable=False),
)

run_key = sa.Table(
    "run_key",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)

blob = sa.Table(
    "blob",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
