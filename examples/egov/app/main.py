"""The e-gov API as the tests of this example run it: laws in PostgreSQL, answers cached in Redis."""

import json
import os
import threading
from pathlib import Path

import psycopg
import redis
from fastapi import FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

VERSION = os.environ.get("APP_VERSION", "1")
# How long an answer stays in the cache, in seconds: data a day, searches an hour.
DAY, HOUR = 24 * 3600, 3600

SCHEMA = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS laws (
    id bigserial PRIMARY KEY,
    law_name text NOT NULL,
    law_type text NOT NULL,
    embedding vector(3)
);
CREATE INDEX IF NOT EXISTS idx_law_name ON laws (law_name);
CREATE INDEX IF NOT EXISTS idx_law_type ON laws (law_type);
"""

app = FastAPI(title="e-gov API", version=VERSION)
local = threading.local()


def setting(name: str) -> str:
    """The content of the file that NAME_FILE names: a secret is in no variable."""
    return Path(os.environ[f"{name}_FILE"]).read_text().strip()


def database() -> psycopg.Connection:
    """The connection of this thread, opened anew if it broke."""
    connection = getattr(local, "database", None)
    if connection is None or connection.closed or connection.broken:
        connection = psycopg.connect(setting("DATABASE_URL"), autocommit=True, connect_timeout=3)
        local.database = connection
        # One worker at a time: "IF NOT EXISTS" alone is no protection against another one.
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(1)")
            connection.execute(SCHEMA)
    return connection


def cache() -> redis.Redis:
    if getattr(local, "cache", None) is None:
        local.cache = redis.Redis.from_url(setting("REDIS_URL"), socket_timeout=3, decode_responses=True)
    return local.cache


class Law(BaseModel):
    law_name: str
    law_type: str
    embedding: list[float] | None = None


@app.get("/health")
def health() -> dict:
    try:
        database().execute("SELECT 1")
        cache().ping()
    except (psycopg.Error, redis.RedisError) as error:
        raise HTTPException(503, detail=type(error).__name__) from error
    return {"status": "ok", "version": VERSION}


@app.get("/metrics", response_class=PlainTextResponse)
def metrics() -> str:
    (count,) = database().execute("SELECT count(*) FROM laws").fetchone()
    return f"egov_laws {count}\n"


@app.post("/laws", status_code=201)
def add(law: Law) -> dict:
    vector = None if law.embedding is None else json.dumps(law.embedding)
    row = database().execute(
        "INSERT INTO laws (law_name, law_type, embedding) VALUES (%s, %s, %s::vector) RETURNING id",
        (law.law_name, law.law_type, vector),
    ).fetchone()
    return {"id": row[0]}


@app.get("/laws/{number}")
def law(number: int) -> dict:
    key = f"law:{number}"
    if found := cache().get(key):
        return json.loads(found) | {"cached": True}
    row = database().execute("SELECT law_name, law_type FROM laws WHERE id = %s", (number,)).fetchone()
    if row is None:
        raise HTTPException(404)
    answer = {"law_name": row[0], "law_type": row[1]}
    cache().set(key, json.dumps(answer), ex=DAY)
    return answer | {"cached": False}


@app.get("/search")
def search(near: str) -> list[str]:
    """Names of the laws whose embeddings are nearest to NEAR, `0.1,0.2,0.3`."""
    key = f"search:{near}"
    if found := cache().get(key):
        return json.loads(found)
    vector = json.dumps([float(number) for number in near.split(",")])
    rows = database().execute(
        "SELECT law_name FROM laws WHERE embedding IS NOT NULL ORDER BY embedding <=> %s::vector LIMIT 5", (vector,)
    ).fetchall()
    answer = [name for (name,) in rows]
    cache().set(key, json.dumps(answer), ex=HOUR)
    return answer
