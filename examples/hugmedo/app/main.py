"""HugMeDo's services as the tests of this example run them. ROLE says which one: core, ohr or chat."""

import hashlib
import hmac
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from fastapi import FastAPI, HTTPException, Response

ROLE = os.environ["ROLE"]
VERSION = os.environ.get("APP_VERSION", "1")
NAME = os.environ.get("REPLICA", ROLE)

app = FastAPI(title=f"HugMeDo {ROLE}", version=VERSION)


def setting(name: str) -> str:
    """The content of the file that NAME_FILE names: a secret is in no variable."""
    return Path(os.environ[f"{name}_FILE"]).read_text().strip()


# Signature Version 4 of S3, for paths without a query:
# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
def signature(method: str, path: str, host: str, date: str, body_hash: str, secret: str) -> str:
    signed = f"host:{host}\nx-amz-content-sha256:{body_hash}\nx-amz-date:{date}\n"
    request = f"{method}\n{path}\n\n{signed}\nhost;x-amz-content-sha256;x-amz-date\n{body_hash}"
    scope = f"{date[:8]}/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def keys() -> tuple[str, str]:
    access, secret = setting("STORAGE_KEY").split(":", 1)
    return access, secret


def stored(method: str, path: str, body: bytes = b"") -> bytes:
    """Asks the S3-compatible storage."""
    access, secret = keys()
    host, date = "storage:8000", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    body_hash = hashlib.sha256(body).hexdigest()
    sign = signature(method, path, host, date, body_hash, secret)
    credential = f"{access}/{date[:8]}/us-east-1/s3/aws4_request"
    headers = {
        "Host": host,
        "X-Amz-Date": date,
        "X-Amz-Content-SHA256": body_hash,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, "
        f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={sign}",
    }
    data = body if method == "PUT" else None
    request = urllib.request.Request(f"http://{host}{path}", data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=4) as answer:
        return answer.read()


def keep(bucket: str, key: str, body: bytes) -> None:
    """Puts an object into a bucket, which it makes where there is none yet."""
    try:
        stored("PUT", f"{bucket}/{key}", body)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        stored("PUT", bucket)
        stored("PUT", f"{bucket}/{key}", body)


if ROLE == "core":
    import psycopg
    import redis

    def database() -> psycopg.Connection:
        connection = psycopg.connect(setting("DATABASE_URL"), autocommit=True, connect_timeout=3)
        connection.execute("CREATE TABLE IF NOT EXISTS meetings (id bigserial PRIMARY KEY, title text NOT NULL)")
        return connection

    @app.get("/health")
    def health() -> dict:
        try:
            with database() as connection:
                connection.execute("SELECT 1")
            redis.Redis.from_url(setting("REDIS_URL"), socket_timeout=3).ping()
            keep("/health", "core", VERSION.encode())
            stored("GET", "/health/core")
        except (psycopg.Error, redis.RedisError, urllib.error.URLError) as error:
            raise HTTPException(503, detail=type(error).__name__) from error
        return {"status": "ok", "version": VERSION}

    @app.post("/meetings/{title}", status_code=201)
    def add(title: str) -> dict:
        with database() as connection:
            row = connection.execute("INSERT INTO meetings (title) VALUES (%s) RETURNING id", (title,)).fetchone()
        return {"id": row[0]}

    @app.get("/meetings/{number}")
    def meeting(number: int) -> dict:
        with database() as connection:
            row = connection.execute("SELECT title FROM meetings WHERE id = %s", (number,)).fetchone()
        if row is None:
            raise HTTPException(404)
        return {"id": number, "title": row[0]}

else:

    def core(method: str, path: str) -> bytes:
        request = urllib.request.Request(os.environ["CORE_SERVICE_URL"] + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=4) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise HTTPException(error.code) from error
        except urllib.error.URLError as error:
            raise HTTPException(503, detail="core") from error

    @app.get(f"/api/v1/modules/{ROLE}/health")
    def health() -> dict:
        core("GET", "/health")
        return {"status": "ok", "version": VERSION, "replica": NAME}

    @app.post(f"/api/v1/modules/{ROLE}/meetings/{{title}}", status_code=201)
    def add(title: str) -> Response:
        return Response(core("POST", f"/meetings/{title}"), status_code=201)

    @app.get(f"/api/v1/modules/{ROLE}/meetings/{{number}}")
    def meeting(number: int) -> Response:
        return Response(core("GET", f"/meetings/{number}"))
