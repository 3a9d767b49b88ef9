"""Prompts, transcripts and snapshots at rest: AES-256-GCM under a data key per run, itself wrapped by the master key."""

import os

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.core.redact import Secret
from bot.store import tables
from bot.store.runs import upsert

NONCE = 12


class SqlBlobs:
    """`ports.Blobs` over the `blob` table. `master` is 32 bytes as 64 hex characters. Destroying a run's key erases its blobs."""

    def __init__(self, engine: sa.Engine, master: Secret) -> None:
        self._engine = engine
        self._master = AESGCM(bytes.fromhex(master.reveal()))

    def put(self, run_id: str, kind: str, seq: int, data: bytes) -> None:
        """Store or replace."""
        with self._engine.begin() as conn:
            key = self._key(conn, run_id)
            nonce = os.urandom(NONCE)
            sealed = nonce + AESGCM(key).encrypt(nonce, data, self._aad(run_id, kind, seq))
            insert = upsert(conn, tables.blob).values(run_id=run_id, kind=kind, seq=seq, data=sealed)
            conn.execute(insert.on_conflict_do_update(index_elements=["run_id", "kind", "seq"], set_={"data": sealed}))

    def get(self, run_id: str, kind: str, seq: int) -> bytes | None:
        """The bytes, or None. Raises cryptography's InvalidTag for a row that was moved or changed."""
        c, k = tables.blob.c, tables.run_key.c
        where = (c.run_id == run_id) & (c.kind == kind) & (c.seq == seq)
        with self._engine.connect() as conn:
            query = sa.select(c.data, k.wrapped).join(tables.run_key, k.run_id == c.run_id).where(where)
            row = conn.execute(query).first()
        if row is None:
            return None
        key = self._unwrap(run_id, row.wrapped)
        return AESGCM(key).decrypt(row.data[:NONCE], row.data[NONCE:], self._aad(run_id, kind, seq))

    def last(self, run_id: str, kind: str) -> int:
        """The highest sequence stored, -1 for none."""
        c = tables.blob.c
        with self._engine.connect() as conn:
            top = conn.execute(sa.select(sa.func.max(c.seq)).where(c.run_id == run_id, c.kind == kind)).scalar()
        return -1 if top is None else int(top)

    def _key(self, conn: sa.Connection, run_id: str) -> bytes:
        fresh, nonce = AESGCM.generate_key(bit_length=256), os.urandom(NONCE)
        wrapped = nonce + self._master.encrypt(nonce, fresh, run_id.encode())
        insert = upsert(conn, tables.run_key).values(run_id=run_id, wrapped=wrapped)
        conn.execute(insert.on_conflict_do_nothing(index_elements=["run_id"]))
        stored = conn.execute(sa.select(tables.run_key.c.wrapped).where(tables.run_key.c.run_id == run_id)).scalar_one()
        return self._unwrap(run_id, stored)

    def _unwrap(self, run_id: str, wrapped: bytes) -> bytes:
        return self._master.decrypt(wrapped[:NONCE], wrapped[NONCE:], run_id.encode())

    @staticmethod
    def _aad(run_id: str, kind: str, seq: int) -> bytes:
        return f"{run_id}\0{kind}\0{seq}".encode()
