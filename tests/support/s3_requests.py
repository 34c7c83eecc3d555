"""The requests of s3_server.py: objects, listings and multipart uploads, as the S3 API reference says."""
import base64
import hashlib
import json
import os
import re
import shutil
import urllib.parse
import xml.etree.ElementTree as xml
from xml.sax.saxutils import escape

from s3_server import ARCHIVED, CHUNK, CONFIG, S3Error, http_date, iso, lock, now

KEPT = ("content-type", "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date")
NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def write_json(path, value):
    """In one step: a server that is killed meanwhile must find the old or the new."""
    with open(path + ".tmp", "w") as file:
        json.dump(value, file)
    os.rename(path + ".tmp", path)


def kept_headers(request):
    out = {n: request.headers[n] for n in KEPT if request.headers.get(n)}
    out.update({k.lower(): v for k, v in request.headers.items() if k.lower().startswith("x-amz-meta-")})
    if out.get("x-amz-object-lock-mode") and request.command == "PUT" and \
            not (request.headers.get("content-md5") or request.headers.get("x-amz-checksum-sha256")):
        raise S3Error(400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
    return out


def check_condition(request, bucket, key):
    """Under the lock, at the commit."""
    if request.headers.get("if-none-match") and CONFIG["conditional"] == "yes" and key in bucket.objects:
        raise S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")


def refuse_unknown_condition(request):
    if request.headers.get("if-none-match") and CONFIG["conditional"] == "no":
        raise S3Error(501, "NotImplemented", "A header you provided implies functionality that is not implemented")


def perform(request, bucket, name, key):
    query, method = request.query, request.command
    if not key:
        if method in ("HEAD", "PUT"):  # clients that make sure of their bucket
            request.take_body()
            return request.answer(200)
        return list_uploads(request, bucket, name) if "uploads" in query else list_objects(request, bucket, name)
    if method == "POST" and "uploads" in query:
        return begin_upload(request, bucket, name, key)
    if "uploadId" in query:
        return upload_request(request, bucket, name, key)
    if method == "PUT":
        return put_object(request, bucket, key)
    if method == "DELETE":
        with lock:
            bucket.remove(key)
        return request.answer(204)
    return get_object(request, bucket, key)


def plant(bucket, key, content):
    folder = bucket.path("uploads", "put-" + os.urandom(8).hex())
    os.mkdir(folder)
    with open(os.path.join(folder, "1"), "w") as file:
        file.write(content)
    size = len(content.encode())
    bucket.store(key, folder, {"key": key, "size": size, "etag": '"planted"', "modified": now(), "headers": {}, "parts": [["1", size]]})


def put_object(request, bucket, key):
    refuse_unknown_condition(request)
    folder = bucket.path("uploads", "put-" + os.urandom(8).hex())
    os.mkdir(folder)
    try:
        headers = kept_headers(request)
        with open(os.path.join(folder, "1"), "wb") as file:
            size, etag = request.take_body(file, request.cut_bytes)
        with lock:
            check_condition(request, bucket, key)
            meta = {"key": key, "size": size, "etag": f'"{etag}"', "modified": now(), "headers": headers, "parts": [["1", size]]}
            answer = {"ETag": meta["etag"]}
            if request.headers.get("x-amz-checksum-sha256") and CONFIG["checksums"]:
                answer["x-amz-checksum-sha256"] = request.headers["x-amz-checksum-sha256"]
            bucket.store(key, folder, meta)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    request.answer(200, headers=answer)


def get_object(request, bucket, key):
    with lock:
        meta = bucket.objects.get(key)
        if meta is None:
            raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
        if request.command == "GET" and meta["headers"].get("x-amz-storage-class") in ARCHIVED:
            raise S3Error(403, "InvalidObjectState", "The operation is not valid for the object's storage class",
                          StorageClass=meta["headers"]["x-amz-storage-class"])
        if request.headers.get("if-match", meta["etag"]) != meta["etag"]:
            raise S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        folder = bucket.path("objects", hashlib.sha1(key.encode()).hexdigest())
        files = [(open(os.path.join(folder, part), "rb"), size) for part, size in meta["parts"]] if request.command == "GET" else []
    start, end, status = 0, meta["size"], 200
    headers = {"ETag": meta["etag"], "Last-Modified": http_date(meta["modified"]), "Accept-Ranges": "bytes", **meta["headers"]}
    if headers.get("x-amz-storage-class") == "STANDARD":
        del headers["x-amz-storage-class"]
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range") or "")
    if wanted:
        start = int(wanted[1])
        end = min(end, int(wanted[2]) + 1) if wanted[2] else end
        if start >= meta["size"]:
            raise S3Error(416, "InvalidRange", "The requested range is not satisfiable")
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{meta['size']}"
    request.answer(status, headers=headers, length=end - start)
    sent = 0
    for file, size in files:
        with file:
            if start < size:
                file.seek(start)
                left = min(size - start, end - start)
                while left > 0:
                    block = file.read(min(CHUNK, left))
                    if request.cut_bytes is not None and sent + len(block) > request.cut_bytes:
                        request.wfile.write(block[:request.cut_bytes - sent])
                        raise ConnectionError("cut on demand")
                    request.wfile.write(block)
                    left, sent = left - len(block), sent + len(block)
            start, end = max(start - size, 0), end - size
            if end <= 0:
                break


def list_objects(request, bucket, name):
    query = request.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    most = min(int(query.get("max-keys") or 1000), CONFIG["page"])
    after = base64.b64decode(query["continuation-token"]).decode() if "continuation-token" in query else query.get("start-after") or query.get("marker") or ""
    coded = query.get("encoding-type") == "url"
    show = (lambda text: urllib.parse.quote_plus(text, safe="/-_.~*")) if coded else escape
    with lock:
        keys = sorted((k for k in bucket.objects if k.startswith(prefix)), key=str.encode)
        metas = dict(bucket.objects)
    items, last, cut = [], "", False
    for key in keys:
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        group = key[:at + len(delimiter)] if at >= 0 else None
        mark = group or key
        if mark.encode() <= after.encode() or (group and group == last):
            continue
        if len(items) == most:
            cut = True
            break
        last = mark
        meta = metas[key]
        items.append(f"<CommonPrefixes><Prefix>{show(group)}</Prefix></CommonPrefixes>" if group else
                     f"<Contents><Key>{show(key)}</Key><LastModified>{iso(meta['modified'])}</LastModified><ETag>{escape(meta['etag'])}</ETag><Size>{meta['size']}</Size><StorageClass>{meta['headers'].get('x-amz-storage-class', 'STANDARD')}</StorageClass></Contents>")
    token = base64.b64encode(last.encode()).decode()
    more = f"<NextContinuationToken>{token}</NextContinuationToken><NextMarker>{show(last)}</NextMarker>" if cut else ""
    request.answer(200, f"<ListBucketResult {NS}><Name>{name}</Name><Prefix>{show(prefix)}</Prefix><KeyCount>{len(items)}</KeyCount><MaxKeys>{most}</MaxKeys>"
                   f"{'<EncodingType>url</EncodingType>' if coded else ''}<IsTruncated>{str(cut).lower()}</IsTruncated>{more}{''.join(items)}</ListBucketResult>")


def list_uploads(request, bucket, name):
    query = request.query
    coded = query.get("encoding-type") == "url"
    show = urllib.parse.quote_plus if coded else escape
    after = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
    with lock:
        found = sorted((u["key"], i, u["at"]) for i, u in bucket.uploads.items() if u["key"].startswith(query.get("prefix", "")))
    found = [u for u in found if (u[0], u[1]) > after]
    page, cut = found[:CONFIG["page"]], len(found) > CONFIG["page"]
    items = "".join(f"<Upload><Key>{show(k)}</Key><UploadId>{i}</UploadId><Initiated>{iso(at)}</Initiated></Upload>" for k, i, at in page)
    more = f"<NextKeyMarker>{show(page[-1][0])}</NextKeyMarker><NextUploadIdMarker>{page[-1][1]}</NextUploadIdMarker>" if cut else ""
    request.answer(200, f"<ListMultipartUploadsResult {NS}><Bucket>{name}</Bucket>{'<EncodingType>url</EncodingType>' if coded else ''}"
                   f"<IsTruncated>{str(cut).lower()}</IsTruncated>{more}{items}</ListMultipartUploadsResult>")


def begin_upload(request, bucket, name, key):
    request.take_body()
    upload = os.urandom(12).hex() + "+=~"[len(key) % 3]  # ids are opaque: not every character goes into a URL as it is
    meta = {"key": key, "at": now(), "headers": kept_headers(request), "algorithm": request.headers.get("x-amz-checksum-algorithm", "")}
    folder = bucket.path("uploads", upload)
    os.mkdir(folder)
    write_json(os.path.join(folder, "meta.json"), meta)
    with lock:
        bucket.uploads[upload] = {**meta, "parts": {}}
    request.answer(200, f"<InitiateMultipartUploadResult {NS}><Bucket>{name}</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>")


def upload_request(request, bucket, name, key):
    upload_id, method = request.query["uploadId"], request.command
    with lock:
        upload = bucket.uploads.get(upload_id)
    if upload is None or upload["key"] != key:
        raise S3Error(404, "NoSuchUpload", "The specified upload does not exist.")
    folder = bucket.path("uploads", upload_id)
    if method == "DELETE":
        with lock:
            bucket.uploads.pop(upload_id, None)
            shutil.rmtree(folder, ignore_errors=True)
        return request.answer(204)
    if method == "GET":
        with lock:
            parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{escape(p['etag'])}</ETag><Size>{p['size']}</Size></Part>" for n, p in sorted(upload["parts"].items()))
        return request.answer(200, f"<ListPartsResult {NS}><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>")
    if method == "POST":
        return complete_upload(request, bucket, name, key, upload_id, upload, folder)
    number = int(request.query["partNumber"])
    if not 1 <= number <= 10000:
        raise S3Error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    temporary = os.path.join(folder, f"{number}.{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "wb") as file:
            size, etag = request.take_body(file, request.cut_bytes)
        part = {"etag": f'"{etag}"', "size": size, "sha256": base64.b64encode(request.sha256.digest()).decode()}
        with lock:
            if upload_id not in bucket.uploads:
                raise S3Error(404, "NoSuchUpload", "The specified upload does not exist.")
            os.rename(temporary, os.path.join(folder, str(number)))
            write_json(os.path.join(folder, f"{number}.json"), part)
            upload["parts"][number] = part
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    headers = {"ETag": part["etag"]}
    if request.headers.get("x-amz-checksum-sha256") and CONFIG["checksums"]:
        headers["x-amz-checksum-sha256"] = part["sha256"]
    request.answer(200, headers=headers)


def complete_upload(request, bucket, name, key, upload_id, upload, folder):
    refuse_unknown_condition(request)
    request.take_body()
    if request.error_in_200:
        return request.answer(200, f"<Error><Code>{request.error_in_200}</Code><Message>We encountered an internal error. Please try again.</Message></Error>")
    listed = []
    for part in xml.fromstring(request.body):
        fields = {child.tag.split("}")[1]: child.text for child in part}
        listed.append((int(fields["PartNumber"]), fields["ETag"], fields.get("ChecksumSHA256")))
    with lock:
        if upload_id not in bucket.uploads:
            raise S3Error(404, "NoSuchUpload", "The specified upload does not exist.")
        check_condition(request, bucket, key)
        if [n for n, _, _ in listed] != sorted({n for n, _, _ in listed}):
            raise S3Error(400, "InvalidPartOrder")
        sizes = []
        for number, etag, checksum in listed:
            part = upload["parts"].get(number)
            if part is None or part["etag"] != etag or (checksum and checksum != part["sha256"]) or \
                    (upload["algorithm"] and CONFIG["checksums"] and not checksum):
                raise S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.")
            sizes.append(part["size"])
        if any(size < 5 << 20 for size in sizes[:-1]):
            raise S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        if CONFIG["equal_parts"] and (len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]):
            raise S3Error(400, "InvalidPart", "All non-trailing parts must have the same length.")
        digests = b"".join(base64.b64decode(upload["parts"][n]["sha256"]) for n, _, _ in listed)
        composite = base64.b64encode(hashlib.sha256(digests).digest()).decode() + f"-{len(listed)}"
        meta = {"key": key, "size": sum(sizes), "etag": f'"{hashlib.md5(digests).hexdigest()}-{len(listed)}"', "modified": now(), "headers": upload["headers"],
                "parts": [[str(n), s] for (n, _, _), s in zip(listed, sizes)], "part_sizes": sizes}
        bucket.store(key, folder, meta)
        del bucket.uploads[upload_id]
    checksum = f"<ChecksumSHA256>{composite}</ChecksumSHA256>" if upload["algorithm"] and CONFIG["checksums"] else ""
    request.answer(200, f"<CompleteMultipartUploadResult {NS}><Bucket>{name}</Bucket><Key>{escape(key)}</Key><ETag>{escape(meta['etag'])}</ETag>{checksum}</CompleteMultipartUploadResult>")
