#!/usr/bin/env python3
"""An S3 server for tests, with its data on disk: python3 s3_server.py ROOT PORT [CONFIG_JSON].

It checks every signature (Signature Version 4, header or query) by its own reading of the specification
and every payload hash and checksum against the bytes that came, keeps multipart rules, and fails on
demand. Paths below /-/ steer it and are not signed:

  POST /-/config  members to set; see CONFIG        POST /-/fault   one fault; see Fault
  GET  /-/log     the requests so far               GET  /-/state   objects and uploads of all buckets
  POST /-/release ends all holds                    POST /-/plant   {"key","content"}
                                                    POST /-/uproot  {"key"}
"""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

CONFIG = {
    "access_key": "AKIDTEST", "secret_key": "test/secret+key", "token": "", "region": "us-east-1",
    "buckets": ["bucket"], "hosts": ["localhost"],  # names below which the bucket is the first label
    "page": 1000,             # most keys of a page
    "conditional": "yes",     # "no": 501 for If-None-Match; "ignored"
    "equal_parts": False,     # all parts but the last must have one size
    "insist_on_checksums": False,  # as a bucket with a default retention: no body without one
    "cut_handshakes": 0,      # how many connections end after the client's first byte of TLS
    "checksums": True,        # compute what x-amz-checksum-algorithm asks for
    "clock": 0,               # seconds that this server's clock is ahead
    "certificate": "", "key": "",
}
CHUNK = 1 << 20
ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")
lock = threading.RLock()
released = threading.Event()
buckets, log, faults = {}, [], []


class S3Error(Exception):
    def __init__(self, status, code, message="", **more):
        super().__init__(code)
        self.status, self.code, self.message, self.more = status, code, message or code, more


def now():
    return time.time() + CONFIG["clock"]


def iso(at):
    return datetime.datetime.utcfromtimestamp(at).strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at % 1 * 1000)


def http_date(at):
    return datetime.datetime.utcfromtimestamp(at).strftime("%a, %d %b %Y %H:%M:%S GMT")


def quote(text, safe="-_.~"):
    return urllib.parse.quote(text, safe=safe)


class Bucket:
    """objects/<sha1 of key>/{meta.json,1,2,…}; uploads/<id>/{meta.json,1,1.json,…}"""

    def __init__(self, root):
        self.root, self.objects, self.uploads = root, {}, {}
        for kind in ("objects", "uploads"):
            os.makedirs(os.path.join(root, kind), exist_ok=True)
        for name in os.listdir(os.path.join(root, "objects")):
            folder = os.path.join(root, "objects", name)
            try:
                meta = json.load(open(os.path.join(folder, "meta.json")))
                self.objects[meta["key"]] = meta
            except (OSError, ValueError):
                shutil.rmtree(folder, ignore_errors=True)
        for name in os.listdir(os.path.join(root, "uploads")):
            folder = os.path.join(root, "uploads", name)
            try:
                meta = json.load(open(os.path.join(folder, "meta.json")))
                meta["parts"] = {}
                for part in os.listdir(folder):
                    if part.endswith(".json") and part != "meta.json":
                        meta["parts"][int(part[:-5])] = json.load(open(os.path.join(folder, part)))
                self.uploads[name] = meta
            except (OSError, ValueError):
                shutil.rmtree(folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def store(self, key, folder, meta):
        """Makes a folder with parts the object, in one step."""
        with open(os.path.join(folder, "meta.json"), "w") as file:
            json.dump(meta, file)
        target = self.path("objects", hashlib.sha1(key.encode()).hexdigest())
        old = self.path("uploads", "old-" + os.urandom(8).hex())
        if os.path.exists(target):
            os.rename(target, old)
        os.rename(folder, target)
        shutil.rmtree(old, ignore_errors=True)
        self.objects[key] = meta

    def remove(self, key):
        self.objects.pop(key, None)
        shutil.rmtree(self.path("objects", hashlib.sha1(key.encode()).hexdigest()), ignore_errors=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rbufsize = 1 << 16

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # -- bodies ---------------------------------------------------------------------------------------
    def take_body(self, to=None, limit=None):
        """Reads the body, hashing it; (size, sha256, md5). Ends the connection after `limit` bytes."""
        left = int(self.headers.get("content-length") or 0)
        sha, size, kept = hashlib.sha256(), 0, []
        md5 = hashlib.md5() if self.headers.get("content-md5") or self.wants_md5 else None
        buffer = memoryview(bytearray(min(CHUNK, max(left, 1))))
        while left > 0:
            n = self.rfile.readinto(buffer[:min(len(buffer), left)])
            if not n:
                raise ConnectionError("the client went away")
            sha.update(buffer[:n])
            if md5:
                md5.update(buffer[:n])
            if to:
                to.write(buffer[:n])
            else:
                kept.append(bytes(buffer[:n]))
            left, size = left - n, size + n
            if limit is not None and size >= limit:
                raise ConnectionError("cut on demand")
        self.body, self.consumed = b"".join(kept), True
        self.sha256 = sha
        digest = md5.digest() if md5 else None
        wanted = self.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        if wanted != "UNSIGNED-PAYLOAD" and wanted != sha.hexdigest():
            raise S3Error(400, "XAmzContentSHA256Mismatch")
        if self.headers.get("content-md5") and base64.b64decode(self.headers["content-md5"]) != digest:
            raise S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
        given = self.headers.get("x-amz-checksum-sha256")
        if given and CONFIG["checksums"] and base64.b64decode(given) != sha.digest():
            raise S3Error(400, "BadDigest", "The SHA256 you specified did not match what we received.")
        # As S3 without MD5: an ETag is opaque.
        return size, (digest.hex() if digest else sha.hexdigest()[:32])

    def refuse_without_checksum(self):
        if CONFIG["insist_on_checksums"] and self.command == "PUT" and \
                not (self.headers.get("content-md5") or self.headers.get("x-amz-checksum-sha256")):
            raise S3Error(400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")

    # -- signatures -----------------------------------------------------------------------------------
    def check_signature(self):
        query = urllib.parse.parse_qsl(self.raw_query, keep_blank_values=True)
        presigned = dict(query).get("X-Amz-Signature")
        if presigned:
            fields = dict(query)
            credential, names = fields["X-Amz-Credential"], fields["X-Amz-SignedHeaders"]
            signature, date, payload = presigned, fields["X-Amz-Date"], "UNSIGNED-PAYLOAD"
            query = [(k, v) for k, v in query if k != "X-Amz-Signature"]
        else:
            match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
                                 self.headers.get("authorization", ""))
            if not match:
                raise S3Error(403, "AccessDenied", "Access Denied.")
            credential, names, signature = match.groups()
            date, payload = self.headers.get("x-amz-date", ""), self.headers.get("x-amz-content-sha256", "")
            missing = [n for n in self.headers.keys() if n.lower().startswith("x-amz-") and n.lower() not in names.split(";")]
            if missing or "host" not in names.split(";") or not re.fullmatch("[0-9a-f]{64}|UNSIGNED-PAYLOAD", payload):
                raise S3Error(403, "AccessDenied", "There were headers present in the request which were not signed")
        access, day, region, service, last = credential.split("/")
        if access != CONFIG["access_key"]:
            raise S3Error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        if CONFIG["token"] and self.headers.get("x-amz-security-token") != CONFIG["token"]:
            raise S3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        if region != CONFIG["region"]:
            raise S3Error(400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; the region '{region}' is wrong; expecting '{CONFIG['region']}'", Region=CONFIG["region"])
        at = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(at - now()) > 900:
            raise S3Error(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
        encoded = sorted((quote(k), quote(v)) for k, v in query)
        headers = "".join(f"{n}:{' '.join((self.headers.get(n) or '').split())}\n" for n in names.split(";"))
        canonical = "\n".join([self.command, quote(urllib.parse.unquote(self.raw_path), safe="/-_.~"),
                               "&".join(f"{k}={v}" for k, v in encoded), headers, names, payload])
        scope = f"{day}/{region}/{service}/{last}"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + CONFIG["secret_key"]).encode()
        for step in (day, region, "s3", "aws4_request"):
            key = hmac.new(key, step.encode(), hashlib.sha256).digest()
        if day != date[:8] or service != "s3" or last != "aws4_request" or \
                not hmac.compare_digest(hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), signature):
            raise S3Error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.",
                          StringToSign=to_sign, CanonicalRequest=canonical, AWSAccessKeyId=access)

    # -- answers --------------------------------------------------------------------------------------
    def answer(self, status, body=b"", headers=None, length=None):
        if isinstance(body, str):
            body = ('<?xml version="1.0" encoding="UTF-8"?>\n' + body).encode()
        self.send_response_only(status)
        self.send_header("Date", http_date(now()))
        self.send_header("x-amz-request-id", "TESTREQUEST")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body) if length is None else length))
        if not self.consumed:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        self.raw_path, _, self.raw_query = self.path.partition("?")
        self.consumed = not int(self.headers.get("content-length") or 0)
        self.body, self.wants_md5 = b"", CONFIG.get("md5_etags", False)
        self.query = dict(urllib.parse.parse_qsl(self.raw_query, keep_blank_values=True))
        if self.raw_path.startswith("/-/"):
            return self.control()
        try:
            self.route()
        except S3Error as error:
            if not self.consumed:
                try:
                    self.take_body(open(os.devnull, "wb"))
                except S3Error:
                    pass
            more = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in error.more.items())
            self.answer(error.status, f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>{more}<RequestId>TESTREQUEST</RequestId></Error>")
        except ConnectionError:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def control(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.consumed, what = True, self.raw_path[3:]
        with lock:
            out = {}
            if what == "config":
                CONFIG.update(json.loads(body))
                for name in CONFIG["buckets"]:
                    buckets.setdefault(name, Bucket(os.path.join(ROOT, name)))
            elif what == "fault":
                faults.append(json.loads(body))
            elif what == "plant":
                s3_requests.plant(buckets["bucket"], **json.loads(body))
            elif what == "uproot":
                buckets["bucket"].remove(json.loads(body)["key"])
            elif what == "clear":
                faults.clear()
                log.clear()
            elif what == "release":
                released.set()
            elif what == "log":
                out = log
            elif what == "state":
                out = {n: {"objects": b.objects, "uploads": {i: {**u, "parts": len(u["parts"])} for i, u in b.uploads.items()}} for n, b in buckets.items()}
        self.answer(200, json.dumps(out).encode())

    def fault(self):
        """{"method","query" (a name),"path" (a part of it),"skip","times","action","status","code","bytes"}"""
        with lock:
            for fault in faults:
                if fault.get("method", self.command) != self.command or fault.get("path", "") not in urllib.parse.unquote(self.raw_path) \
                        or ("query" in fault and fault["query"] not in self.query):
                    continue
                if fault.get("skip", 0) > 0:
                    fault["skip"] -= 1
                    continue
                if fault.setdefault("times", 1) > 0:
                    fault["times"] -= 1
                    fault["fired"] = fault.get("fired", 0) + 1
                    return fault
        return {}

    def route(self):
        host = (self.headers.get("host") or "").rsplit(":", 1)[0]
        path = urllib.parse.unquote(self.raw_path)[1:]
        for name in CONFIG["hosts"]:
            if host.endswith("." + name):
                bucket_name, key = host[:-len(name) - 1], path
                break
        else:
            bucket_name, _, key = path.partition("/")
        fault = self.fault()
        action = fault.get("action")
        with lock:
            log.append({"method": self.command, "bucket": bucket_name, "key": key, "query": self.query, "host": self.headers.get("host"),
                        "headers": {k.lower(): v for k, v in self.headers.items()}, "fault": action})
        self.check_signature()
        self.refuse_without_checksum()
        if action == "error":
            raise S3Error(fault["status"], fault.get("code", "InternalError"), Region=fault.get("region", ""))
        if action == "redirect":
            self.answer(fault["status"], b"", {"Location": fault["location"]})
            return
        if action == "hold":
            while not released.wait(0.05):
                if self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"" if self.readable() else False:
                    raise ConnectionError("the client went away")
        self.cut_bytes = fault.get("bytes", 0) if action == "cut_body" else None
        self.error_in_200 = fault.get("code", "InternalError") if action == "error_in_200" else None
        if action in ("cut_answer", "error_after"):
            self.wfile, kept = open(os.devnull, "wb"), self.wfile
            self.perform(bucket_name, key)
            self.wfile = kept
            if action == "cut_answer":
                raise ConnectionError("cut on demand")
            raise S3Error(500, "InternalError")
        self.perform(bucket_name, key)

    def readable(self):
        import select
        return bool(select.select([self.connection], [], [], 0)[0])

    def perform(self, bucket_name, key):
        bucket = buckets.get(bucket_name)
        if bucket is None:
            raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist")
        s3_requests.perform(self, bucket, bucket_name, key)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *args):
        pass

    def get_request(self):
        connection, address = super().get_request()
        if not CONFIG["certificate"]:
            return connection, address
        # Who only tries whether the port is open sends nothing.
        if CONFIG["cut_handshakes"] > 0 and connection.recv(1):
            CONFIG["cut_handshakes"] -= 1
            connection.close()
            raise OSError("cut on demand")
        return self.context.wrap_socket(connection, server_side=True), address


def main():
    global ROOT, s3_requests
    sys.modules["s3_server"] = sys.modules["__main__"]
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import s3_requests as requests
    s3_requests, ROOT = requests, sys.argv[1]
    CONFIG.update(json.loads(sys.argv[3]) if len(sys.argv) > 3 else {})
    for name in CONFIG["buckets"]:
        buckets[name] = Bucket(os.path.join(ROOT, name))
    server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
    if CONFIG["certificate"]:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(CONFIG["certificate"], CONFIG["key"])
    server.serve_forever()


if __name__ == "__main__":
    main()
