"""Python's requests as a judge: asks a server of client-app.ts, and prints a line of JSON for each fact.

Called with the server's URL and the name of its gateway. Expectations are those of requests' documentation and of the RFCs.
"""
import gzip
import hashlib
import http.client
import io
import json
import random
import socket
import sys
import threading
import time
import zlib

import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

sys.dont_write_bytecode = True
from facts import GATEWAY, TIMEOUT, URL, ask, fact, run_facts, same


def sha(data):
    return hashlib.sha256(data).hexdigest()


@fact("methods keep their name and body")
def _():
    with requests.Session() as session:
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT"]:
            for body in [b"", b"x" * 10, bytes(range(256)) * 2000]:
                answer = ask(method, "/echo", session, data=body).json()
                same([answer["method"], answer["bytes"], answer["sha256"]], [method, len(body), sha(body)])
        answer = ask("HEAD", "/text", session)
        same([answer.status_code, answer.content], [200, b""])


@fact("a query keeps its order, repeats, signs and letters")
def _():
    pairs = [("a", "1"), ("a", "2"), ("ü", "東京 😀"), ("empty", ""), ("signs", "&=+%/?#;'\"<>"), ("a", "3")]
    same(ask("GET", "/echo", params=pairs).json()["query"], [list(pair) for pair in pairs])
    answer = ask("GET", "/echo/ümläut%2Fslash/a b?x=%zz&y=+&z").json()
    same([answer["path"], answer["query"]], ["/echo/ümläut/slash/a b", [["x", "%zz"], ["y", " "], ["z", ""]]])


@fact("JSON goes there and back")
def _():
    value = {"text": "ünï 😀 \u2028 \\ \"", "list": [1, -2.5e10, None, True, {"deep": [[]]}], "": 0}
    answer = ask("POST", "/json", json=value)
    same([answer.status_code, answer.json()["got"]], [200, value])
    same(ask("POST", "/json", json=value).headers["content-type"].split(";")[0], "application/json")
    same(ask("POST", "/json", data="{", headers={"Content-Type": "application/json"}).status_code, 400)
    same(ask("POST", "/json", data={"a": "b"}).status_code, 415)


@fact("a form keeps repeats and letters")
def _():
    pairs = [("name", "Zoë & Ω"), ("name", "again"), ("line", "a\r\nb"), ("emoji 😀", "=;+ ")]
    same(ask("POST", "/form", data=pairs).json(), [list(pair) for pair in pairs])
    same(ask("POST", "/form", data=pairs, files=[]).json(), [list(pair) for pair in pairs])
    same(ask("POST", "/form", files=[(k, (None, v)) for k, v in pairs]).json(), [list(pair) for pair in pairs])


@fact("several files go up under names of all kinds")
def _():
    names = ["plain.txt", "ünïcode 東京 😀.txt", "space and; semi=colon.txt", 'quo"te.txt', "per%20cent.txt", "a'b.txt"]
    files = [("file", (name, random.Random(name).randbytes(50_000), "text/x-own")) for name in names]
    answer = ask("POST", "/upload", data={"fiéld": "välue"}, files=files).json()
    same(answer[0]["name"], "fiéld")
    same([part["isFile"] for part in answer], [False] + [True] * len(names))
    same([part["filename"] for part in answer[1:]], names)
    same([part["sha256"] for part in answer[1:]], [sha(content) for _, (_, content, _) in files])
    same({part["contentType"] for part in answer[1:]}, {"text/x-own"})
    same([part["filename"] for part in ask("POST", "/upload", files={"f": ("../../etc/passwd", b"x")}).json()], ["passwd"])


@fact("names in the form of RFC 2231 and in that of HTML5 are read")
def _():
    from urllib3.fields import format_header_param_html5, format_header_param_rfc2231

    for formatter in [format_header_param_html5, format_header_param_rfc2231]:
        field = RequestField("file", b"content", filename="Grüße 東京.txt", header_formatter=formatter)
        field.make_multipart(content_type="text/plain")
        body, content_type = encode_multipart_formdata([field])
        (part,) = ask("POST", "/upload", data=body, headers={"Content-Type": content_type}).json()
        same([part["name"], part["filename"], part["bytes"]], ["file", "Grüße 東京.txt", 7])


@fact("a Session keeps cookies, loses those that are deleted or over, and sends them where they belong")
def _():
    with requests.Session() as session:
        value = 'ünï "quoted"; semi, comma \\ = %41 +'
        ask("GET", "/cookies/set", session, params={"name": "a", "value": value})
        ask("GET", "/cookies/set", session, params={"name": "b", "value": "2", "age": "3600"})
        ask("GET", "/cookies/set", session, params={"name": "deep", "value": "3", "path": "/cookies/deep"})
        same(ask("GET", "/cookies", session).json(), {"a": value, "b": "2"})
        same(ask("GET", "/cookies/deep", session).json(), {"a": value, "b": "2", "deep": "3"})
        ask("GET", "/cookies/future", session, params={"name": "f"})
        ask("GET", "/cookies/past", session, params={"name": "b"})
        same(ask("GET", "/cookies", session).json(), {"a": value, "f": "x"})
        ask("GET", "/cookies/delete", session, params={"name": "a"})
        ask("GET", "/cookies/delete", session, params={"name": "deep", "path": "/cookies/deep"})
        same(ask("GET", "/cookies/deep", session).json(), {"f": "x"})
        ask("GET", "/cookies/set", session, params={"name": "short", "value": "1", "age": "2"})
        same(ask("GET", "/cookies", session).json(), {"f": "x", "short": "1"})
        # The jar counts whole seconds.
        deadline = time.monotonic() + 8
        while "short" in ask("GET", "/cookies", session).json():
            assert time.monotonic() < deadline, "the cookie does not expire"
            time.sleep(0.1)


@fact("signed and sealed cookies come back, and are nothing when they were changed")
def _():
    with requests.Session() as session:
        same(ask("GET", "/sealed", session).json(), {"signed": None, "sealed": None})
        known = {"signed": 'grüße; "=,\\', "sealed": {"n": 1, "text": "ü"}}
        same(ask("GET", "/sealed", session).json(), known)
        jar = {cookie.name: cookie.value for cookie in session.cookies}
    for name in jar:
        for changed in [jar[name][:-1], jar[name] + "x", jar["sealed" if name == "signed" else "signed"], "", "%", "x" * 3000]:
            answer = ask("GET", "/sealed", headers={"Cookie": f"{name}={changed}"})
            same([answer.status_code, answer.json()[name]], [200, None])


@fact("sessions in the cookie and in a store hold, and end")
def _():
    for path in ["/session", "/stored"]:
        with requests.Session() as session:
            same(ask("GET", path, session).json(), {"user": None, "count": 1})
            old = {cookie.name: cookie.value for cookie in session.cookies}
            same(ask("GET", f"{path}/login?user=Zo%C3%AB", session).json(), {"user": "Zoë", "count": 2})
            same(ask("GET", path, session).json(), {"user": "Zoë", "count": 3})
            if path == "/stored":
                same(ask("GET", path, cookies=old).json(), {"user": None, "count": 1})
            ask("GET", f"{path}/logout", session)
            same([cookie.name for cookie in session.cookies], [])
            same(ask("GET", path, session).json(), {"user": None, "count": 1})
            same(ask("GET", path, cookies={name: "x" * 500 for name in old}).json(), {"user": None, "count": 1})


@fact("redirects of each status keep or change the method as requests does")
def _():
    kept = {301: "GET", 302: "GET", 303: "GET", 307: "POST", 308: "POST"}
    for status, method in kept.items():
        answer = ask("POST", f"/redirect/{status}", data=b"body")
        same([answer.status_code, answer.history[0].status_code, answer.url], [200, status, f"{URL}/echo"])
        same([answer.json()["method"], answer.json()["bytes"]], [method, 4 if method == "POST" else 0])
        # requests goes on with GET after a 302 to PUT, as browsers do.
        same(ask("PUT", f"/redirect/{status}", data=b"x").json()["method"], {301: "PUT", 302: "GET", 303: "GET"}.get(status, "PUT"))
        head = ask("HEAD", f"/redirect/{status}", allow_redirects=True)
        same([head.status_code, head.request.method, head.content], [200, "HEAD", b""])
        same(ask("GET", f"/redirect/{status}", allow_redirects=False).headers["location"], "/echo")
    answer = ask("GET", "/redirect/302", params={"to": "/echo/ü b?x=ü"})
    same([answer.json()["path"], answer.json()["query"]], ["/echo/ü b", [["x", "ü"]]])


@fact("a redirect answers an upload that nobody reads, and the upload goes on at the other place")
def _():
    body = b"r" * 3_000_000
    with requests.Session() as session:
        for _ in range(5):
            answer = ask("POST", "/redirect/307", session, data=io.BytesIO(body))
            same([answer.status_code, answer.json()["bytes"]], [200, len(body)])


@fact("Basic: names and passwords, in UTF-8 too")
def _():
    same(ask("GET", "/basic").status_code, 401)
    assert ask("GET", "/basic").headers["www-authenticate"].startswith("Basic ")
    same(ask("GET", "/basic", auth=("ann", "s3cret: with colon")).json()["user"], "ann")
    same(ask("GET", "/basic", auth=HTTPBasicAuth("Zoë".encode(), "pässwörd".encode())).json()["user"], "Zoë")
    for auth in [("ann", "wrong"), ("nobody", ""), ("", ""), ("ann", "s3cret"), ("ann", "")]:
        same(ask("GET", "/basic", auth=auth).status_code, 401)


@fact("Bearer: with and without a token")
def _():
    same(ask("GET", "/bearer", headers={"Authorization": "Bearer to.k-en=="}).json()["user"], "robot")
    same(ask("GET", "/bearer", headers={"Authorization": "bearer  to.k-en=="}).json()["user"], "robot")
    for header, status in [("Bearer other", 401), ("Bearer a b", 400), ("Basic x", 401), ("", 401)]:
        same(ask("GET", "/bearer", headers={"Authorization": header}).status_code, status)


@fact("Digest: a Session authenticates once and goes on, with queries and bodies")
def _():
    for path in ["/digest", "/digest-md5", "/digest-both"]:
        auth = HTTPDigestAuth("ann", "s3cret: with colon")
        with requests.Session() as session:
            session.auth = auth
            statuses = []
            session.hooks["response"].append(lambda answer, **_: statuses.append(answer.status_code))
            for n in range(5):
                answer = ask("POST", f"{path}?a=b,c&d=%22{n}", session, data=b"x" * 5000)
                same([answer.status_code, answer.json()["user"], answer.json()["bytes"]], [200, "ann", 5000])
            same(statuses.count(401), 0)
            same(ask("GET", f"{path}/a%20b", session).status_code, 200)
        same(ask("GET", path, auth=HTTPDigestAuth("ann", "wrong")).status_code, 401)
        same(ask("GET", path, auth=HTTPDigestAuth("nobody", "x")).status_code, 401)


@fact("Digest: a stale nonce costs one round, and no error")
def _():
    first, second = (HTTPDigestAuth("ann", "s3cret: with colon") for _ in range(2))
    for auth in [first, second, first, second, first]:
        answer = ask("GET", "/digest-stale", auth=auth)
        same([answer.status_code, answer.json()["user"]], [200, "ann"])


@fact("Digest: requests side by side with one nonce")
def _():
    auth = HTTPDigestAuth("ann", "s3cret: with colon")
    same(ask("GET", "/digest", auth=auth).status_code, 200)
    challenge, last_nonce = auth._thread_local.chal, auth._thread_local.last_nonce
    found, lock, counter = [], threading.Lock(), iter(range(2, 100))

    def run():
        for _ in range(5):
            with lock:
                auth.init_per_thread_state()
                auth._thread_local.chal, auth._thread_local.last_nonce = challenge, last_nonce
                auth._thread_local.nonce_count = next(counter) - 1
                header = auth.build_digest_header("GET", f"{URL}/digest")
            found.append(ask("GET", "/digest", headers={"Authorization": header}).status_code)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(found, [200] * 30)


@fact("gzip is decoded, and its absence is heeded")
def _():
    plain = ask("GET", "/text", headers={"Accept-Encoding": "identity"})
    same(plain.headers.get("content-encoding"), None)
    for accepted, coding in [("gzip", "gzip"), ("gzip, deflate", "gzip"), ("deflate", None), ("gzip;q=0", None), ("*;q=0, identity", None)]:
        answer = ask("GET", "/text", headers={"Accept-Encoding": accepted})
        same([answer.headers.get("content-encoding"), answer.text == plain.text], [coding, True])
        assert "accept-encoding" in answer.headers["vary"].lower()
    same(ask("HEAD", "/text", headers={"Accept-Encoding": "gzip"}).headers.get("content-encoding"), "gzip")
    answer = ask("GET", "/compressed-lines", headers={"Accept-Encoding": "gzip"}, stream=True)
    same(answer.headers["content-encoding"], "gzip")
    same(sum(1 for _ in answer.iter_lines()), 2000)


@fact("a stream comes line by line, as it is made")
def _():
    answer = ask("GET", "/lines", stream=True)
    times = []
    lines = []
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        times.append(time.monotonic())
        lines.append(line)
    same(lines, [f"line {n} of ünïcode" for n in range(1, 6)])
    assert times[-1] - times[0] > 0.05, "it came at once"
    answer = ask("GET", "/lines", stream=True)
    same(b"".join(answer.iter_content(7)).decode(), "".join(f"line {n} of ünïcode\n" for n in range(1, 6)))


@fact("server-sent events are read by iter_lines, and go on after Last-Event-ID")
def _():
    answer = ask("GET", "/events", stream=True, headers={"Last-Event-ID": "41", "Accept": "text/event-stream"})
    same(answer.headers["content-type"], "text/event-stream")
    # Without a charset requests takes no guess; the standard says UTF-8.
    text = "\n".join(line.decode() for line in answer.iter_lines(chunk_size=1))
    found = [dict(line.split(": ", 1) for line in event.split("\n") if line.startswith("id")) for event in text.split("\n\n")]
    same([event["id"] for event in found if event], ["42", "43", "44"])
    assert "event: tick\nid: 42\ndata: one 42\ndata: twö" in text, text
    assert "retry: 500" in text, text


@fact("a generator goes up in chunks, and the Session is good after it")
def _():
    def generate(count):
        for n in range(count):
            yield b"%d," % n * 100

    body = b"".join(generate(500))
    with requests.Session() as session:
        for _ in range(20):
            answer = ask("POST", "/echo", session, data=generate(500)).json()
            same([answer["bytes"], answer["sha256"], answer["transfer"]], [len(body), sha(body), "chunked"])
            same(ask("GET", "/echo", session).json()["bytes"], 0)
            same(ask("POST", "/ignored", session, data=generate(500)).text, "not read\n")
            same(ask("PUT", "/echo", session, data=iter([])).json()["bytes"], 0)
            same(ask("POST", "/echo/streamed", session, data=iter([b"x"])).json()["bytes"], 1)


@fact("compressed bodies are decoded, and bombs refused")
def _():
    body = json.dumps({"text": "ü" * 5000}).encode()
    for coding, encode in [("gzip", gzip.compress), ("deflate", zlib.compress)]:
        headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
        same(ask("POST", "/decode/json", data=encode(body), headers=headers).json()["got"], json.loads(body))
        same(ask("POST", "/json", data=encode(body), headers=headers).status_code, 415)
        same(ask("POST", "/decode/json", data=encode(body)[:-5], headers=headers).status_code, 400)
        same(ask("POST", "/decode/json", data=b"junk", headers=headers).status_code, 400)
        same(ask("POST", "/decode/json", data=encode(b" " * 10_000_000), headers=headers).status_code, 413)
        same(ask("POST", "/decode/json", data=iter([encode(body)]), headers=headers).json()["got"], json.loads(body))
    refused = ask("POST", "/decode/json", data=b"x", headers={"Content-Encoding": "zstd", "Content-Type": "application/json"})
    same([refused.status_code, refused.headers["accept-encoding"]], [415, "gzip, deflate, br"])


@fact("ranges: one, the end, several, none")
def _():
    whole = ask("GET", "/files/big.bin").content
    size = len(whole)
    for spec, start, end in [("0-0", 0, 1), ("5-99", 5, 100), (f"{size - 3}-", size - 3, size), ("-10", size - 10, size), ("100-999999999", 100, size)]:
        answer = ask("GET", "/files/big.bin", headers={"Range": f"bytes={spec}"})
        same([answer.status_code, answer.headers["content-range"], answer.content == whole[start:end]], [206, f"bytes {start}-{end - 1}/{size}", True])
    answer = ask("GET", "/files/big.bin", headers={"Range": f"bytes={size}-"})
    same([answer.status_code, answer.headers["content-range"]], [416, f"bytes */{size}"])
    answer = ask("GET", "/files/big.bin", headers={"Range": "bytes=0-1,10-12"})
    from email import message_from_bytes

    parts = message_from_bytes(b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n" + answer.content).get_payload()
    same([[part["content-range"], part.get_payload(decode=True)] for part in parts], [[f"bytes 0-1/{size}", whole[0:2]], [f"bytes 10-12/{size}", whole[10:13]]])
    tag = ask("HEAD", "/files/big.bin").headers["etag"]
    same(ask("GET", "/files/big.bin", headers={"Range": "bytes=0-1", "If-Range": tag}).status_code, 206)
    same(ask("GET", "/files/big.bin", headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code, 200)


@fact("conditional requests: ETag and date")
def _():
    for path in ["/files/big.bin", "/text"]:
        answer = ask("GET", path)
        again = ask("GET", path, headers={"If-None-Match": answer.headers["etag"]})
        same([again.status_code, again.content], [304, b""])
        same(ask("GET", path, headers={"If-None-Match": '"other"'}).status_code, 200)
        same(ask("GET", path, headers={"If-Match": '"other"'}).status_code, 412)
        if "last-modified" in answer.headers:
            same(ask("GET", path, headers={"If-Modified-Since": answer.headers["last-modified"]}).status_code, 304)
            same(ask("GET", path, headers={"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}).status_code, 412)


@fact("HEAD and 204 leave the connection in step")
def _():
    with requests.Session() as session:
        for _ in range(20):
            for path in ["/text", "/files/big.bin", "/lines", "/empty", "/echo", "/nowhere"]:
                head = ask("HEAD", path, session)
                same([head.content, head.status_code], [b"", {"/empty": 204, "/nowhere": 404}.get(path, 200)])
            same(ask("GET", "/empty", session).content, b"")
            same(ask("GET", "/echo", session).json()["method"], "GET")
    size = len(ask("GET", "/files/big.bin").content)
    same(ask("HEAD", "/files/big.bin", headers={"Accept-Encoding": "identity"}).headers["content-length"], str(size))


@fact("a response that breaks off is an error, be it counted or in chunks")
def _():
    try:
        ask("GET", "/fails-midway").content
    except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError):
        return
    raise AssertionError("requests took it for whole")


@fact("clients that time out, or leave in the middle, leave the server well")
def _():
    for _ in range(3):
        try:
            ask("GET", "/slow", params={"watch": "timeout"}, timeout=0.2)
            raise AssertionError("it was not slow")
        except requests.ReadTimeout:
            pass
        answer = ask("GET", "/endless", params={"watch": "endless"}, stream=True)
        next(answer.iter_content(100_000))
        answer.close()

        def breaking():
            yield b"x" * 100_000
            raise KeyError("the client breaks")

        try:
            ask("POST", "/echo", params={"watch": "upload"}, data=breaking())
            raise AssertionError("it did not break")
        except KeyError:
            pass
    same(ask("GET", "/echo").status_code, 200)


@fact("a body above the limit is 413, whoever sends it and however, and the client reads it")
def _():
    for path, size in [("/small/echo", 1001), ("/small/echo", 5_000_000), ("/echo", 17_000_000)]:
        answer = ask("POST", path, data=b"x" * size)
        same([answer.status_code, path, size], [413, path, size])
    for size in [1001, 500_000]:
        answer = ask("POST", "/small/echo", data=iter([b"x" * size]))
        same([answer.status_code, size], [413, size])


@fact("a rate limit tells what is left and when to come back")
def _():
    answers = [ask("GET", "/limited") for _ in range(5)]
    same([answer.status_code for answer in answers][:3], [200, 200, 200])
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused, "nothing was refused"
    assert 1 <= int(refused[0].headers["retry-after"]) <= 3, refused[0].headers
    same(refused[0].headers["ratelimit-policy"], '"default";q=3;w=3')
    assert answers[0].headers["ratelimit"].startswith('"default";r=2;t='), answers[0].headers
    time.sleep(int(refused[0].headers["retry-after"]))
    same(ask("GET", "/limited").status_code, 200)


@fact("too many cookies, and headers that are too large, are a 4xx, and the server lives on")
def _():
    same(ask("GET", "/cookies", headers={"Cookie": "; ".join(f"c{n}=1" for n in range(1000))}).status_code, 400)
    for headers in [
        {"Cookie": "; ".join(f"c{n}=1" for n in range(10_000))},
        {"X-Huge": "x" * 100_000},
        {f"X-Many-{n}": "1" for n in range(200)},
    ]:
        try:
            status = ask("GET", "/cookies", headers=headers).status_code
            assert status == 431, status
        except requests.RequestException as error:
            raise AssertionError("the connection was cut before the answer could be read") from error
    same(ask("GET", "/echo").status_code, 200)


@fact("a download says its name")
def _():
    answer = ask("GET", "/download", params={"as": 'Bericht "März" 東京.pdf'}, stream=True)
    disposition = answer.headers["content-disposition"]
    from email.message import Message

    message = Message()
    message["Content-Disposition"] = disposition
    from email.utils import collapse_rfc2231_value, decode_params

    assert "filename*=UTF-8''Bericht%20%22M%C3%A4rz%22%20%E6%9D%B1%E4%BA%AC.pdf" in disposition, disposition
    same(message.get_filename() is not None, True)
    answer.close()


@fact("letters in a header's value are those of ISO-8859-1")
def _():
    same(ask("GET", "/latin").headers["x-name"], "Zoë")


@fact("a listing's links lead to its files")
def _():
    import re
    from html import unescape
    from urllib.parse import urljoin

    base = f"{URL}/files/letters/"
    links = [unescape(link) for link in re.findall(r'href="(\./[^"]+)"', ask("GET", "/files/letters/").text)]
    assert len(links) == 3, links
    for link in links:
        answer = requests.get(urljoin(base, link), timeout=TIMEOUT)
        same([answer.status_code, answer.text], [200, "letter\n"])
    same(ask("GET", "/files/letters").url, base)


@fact("pipelined and kept-alive use by http.client")
def _():
    host, port = URL.split("//")[1].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    for n in range(50):
        connection.request("POST" if n % 2 else "GET", "/echo", body=b"y" * n if n % 2 else None)
        same(json.loads(connection.getresponse().read())["bytes"], n if n % 2 else 0)
    connection.close()


@fact("twenty clients at once get what is theirs")
def _():
    wrong = []

    def run(seed):
        content = random.Random(seed).randbytes(200_000)
        with requests.Session() as session:
            for _ in range(5):
                found = ask("POST", "/echo", session, data=content if seed % 2 else iter([content])).json()["sha256"]
                if found != sha(content):
                    wrong.append(seed)

    threads = [threading.Thread(target=run, args=[seed]) for seed in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(wrong, [])


run_facts()
