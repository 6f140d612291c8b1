"""Python's requests, for which httpbin.org was made, as a judge of examples/httpbin: the shapes of its JSON, key by key."""
import base64
import hashlib
import json
import re
import sys
import time
import uuid

import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

sys.dont_write_bytecode = True
from facts import GATEWAY, URL, ask, fact, run_facts, same

HEAD = ["args", "headers", "origin", "url"]
WHOLE = ["args", "data", "files", "form", "headers", "json", "origin", "url"]


def keys(answer):
    found = list(answer.json())
    same(found, sorted(found))
    same(answer.headers["content-type"], "application/json")
    assert answer.text.endswith("}\n") and '\n  "' in answer.text, answer.text
    assert answer.text.isascii(), answer.text
    return found


def status(method, path, **options):
    return ask(method, path, allow_redirects=False, **options).status_code


@fact("/get: arguments, headers in Title-Case, address and URL")
def _():
    answer = ask("GET", "/get", params=[("a", "1"), ("a", "2"), ("ü", "<b>")], headers={"x-custom-id": "naïve".encode(), "X-Forwarded-For": "203.0.113.9"})
    same(keys(answer), HEAD)
    told = answer.json()
    same(told["args"], {"a": ["1", "2"], "ü": "<b>"})
    same(told["headers"]["Host"], URL.split("//")[1])
    same(set(told["headers"]), {"Accept", "Accept-Encoding", "Connection", "Host", "User-Agent", "X-Custom-Id"})
    same(told["origin"], "203.0.113.9")
    same(told["url"], f"{URL}/get?a=1&a=2&%C3%BC=%3Cb%3E")
    assert "<" not in answer.text
    shown = ask("GET", "/headers?show_env=1", headers={"X-Forwarded-For": "203.0.113.9"}).json()
    same([list(shown), shown["headers"]["X-Forwarded-For"]], [["headers"], "203.0.113.9"])
    same(ask("GET", "/ip").json(), {"origin": "127.0.0.1"})
    same(ask("GET", "/user-agent", headers={"User-Agent": "Sail/1"}).json(), {"user-agent": "Sail/1"})
    same(ask("HEAD", "/get").content, b"")


@fact("/post, /put, /patch, /delete and /anything: forms, files, JSON and data")
def _():
    for method in ["POST", "PUT", "PATCH", "DELETE"]:
        path = f"/{method.lower()}"
        same(keys(ask(method, path)), WHOLE)
        form = ask(method, path, data=[("a", "1"), ("a", "ü & b"), ("c", "")]).json()
        same([form["form"], form["data"], form["json"], form["files"]], [{"a": ["1", "ü & b"], "c": ""}, "", None, {}])
        value = {"n": [1, {"deep": None}], "ü": "\u2028"}
        sent = ask(method, path, json=value).json()
        same([sent["json"], json.loads(sent["data"]), sent["form"]], [value, value, {}])
        plain = ask(method, path, data="not JSON {", headers={"Content-Type": "application/json"}).json()
        same([plain["data"], plain["json"]], ["not JSON {", None])
        octets = ask(method, path, data=b"\xff\x00\xfe").json()
        same(octets["data"], "data:application/octet-stream;base64,/wD+")
        files = [("file", ("a.txt", b"text")), ("file", ("b.bin", b"\xff", "image/x-own"))]
        sent = ask(method, path, data={"field": "wert"}, files=files).json()
        same(sent["form"], {"field": "wert"})
        same(sent["files"]["file"], ["text", "data:image/x-own;base64,/w=="])
        same(sent["data"], "")
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]:
        answer = ask(method, "/anything/a%2Fb/c", data=None if method in ["GET", "TRACE"] else "x")
        same(keys(answer), sorted([*WHOLE, "method"]))
        same([answer.json()["method"], answer.json()["url"]], [method, f"{URL}/anything/a%2Fb/c"])
    same(ask("GET", "/anything").json()["url"], f"{URL}/anything")
    same(ask("POST", "/post", data=iter([b"in ", b"chunks"])).json()["data"], "in chunks")


@fact("bodies that are hostile are told back, or refused with 4xx")
def _():
    deep = "[" * 100_000 + "]" * 100_000
    told = ask("POST", "/post", data=deep).json()
    same([len(told["data"]), told["json"]], [200_000, None])
    same(ask("POST", "/post", data='{"__proto__": {"a": 1}}').json()["json"], None)
    same(ask("POST", "/post", data=b'"\\ud800"').json()["json"], "\ud800")
    same(ask("POST", "/post", data={"__proto__": "x", "constructor": "y"}).json()["form"], {"__proto__": "x", "constructor": "y"})
    same(ask("GET", "/get?__proto__=1&toString=2").json()["args"], {"__proto__": "1", "toString": "2"})
    same(status("POST", "/post", data=b"x" * 5_000_000), 413)
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    same(status("POST", "/post", data=b"junk", headers=multipart), 400)
    same(status("POST", "/post", data=b"a=%FF", headers={"Content-Type": "application/x-www-form-urlencoded"}), 400)


@fact("status codes, one or by weights, with their headers")
def _():
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]:
        for code in [200, 204, 205, 304, 404, 500, 599]:
            same(status(method, f"/status/{code}"), code)
    for code in [301, 302, 303, 305, 307]:
        answer = ask("GET", f"/status/{code}", allow_redirects=False)
        same([answer.status_code, answer.headers["location"]], [code, "/redirect/1"])
    same(ask("GET", "/status/401").headers["www-authenticate"], 'Basic realm="Fake Realm"')
    assert ask("GET", "/status/402").headers["x-more-info"]
    same(list(ask("GET", "/status/406").json()), ["accept", "message"])
    same(status("GET", "/status/407"), 407)
    assert "teapot" in ask("GET", "/status/418").text
    same({status("GET", "/status/200:0,503:1") for _ in range(20)}, {503})
    same({status("GET", "/status/200,%20503") for _ in range(60)}, {200, 503})
    for codes in ["x", "", ",", "200,", "200:", "200:x", "200:-1", "200:1:1", "99", "100", "199", "600", "1e2", "2000", "200:1e400", "%00", "٢٠٠"]:
        assert status("GET", f"/status/{codes}") in [400, 404], codes


@fact("redirects: so many, relative and absolute, and to anywhere")
def _():
    for path, steps in [("/redirect/5", 5), ("/relative-redirect/3", 3), ("/absolute-redirect/3", 3), ("/redirect/3?absolute=true", 3), ("/redirect/1", 1)]:
        answer = ask("GET", path)
        same([answer.status_code, len(answer.history), answer.url], [200, steps, f"{URL}/get"])
    to = lambda path: ask("GET", path, allow_redirects=False).headers["location"]
    same(to("/relative-redirect/2"), "/relative-redirect/1")
    same(to("/absolute-redirect/2"), f"{URL}/absolute-redirect/1")
    same(to("/redirect/2?absolute=TRUE"), f"{URL}/absolute-redirect/1")
    same(to("/absolute-redirect/1"), f"{URL}/get")
    for number in ["0", "-1", "x", "1.5", "1e9", "99999999999999999999"]:
        same(status("GET", f"/redirect/{number}"), 404)
    same(to("/redirect-to?url=https://example.org/a b"), "https://example.org/a%20b")
    same(to("/redirect-to?URL=%0d%0aX-Evil:%20ü"), "%0D%0AX-Evil:%20%C3%BC")
    for code, got in [(301, 301), (307, 307), (308, 308), (200, 302), (999, 302), (304, 304)]:
        same(status("GET", f"/redirect-to?url=/get&status_code={code}"), got)
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE"]:
        same(status(method, "/redirect-to?url=/get"), 302)
    same(status("GET", "/redirect-to"), 400)
    same(status("GET", "/redirect-to?url=/&status_code=x"), 400)
    same(ask("POST", "/redirect-to?url=/post&status_code=307", data={"a": "1"}).json()["form"], {"a": "1"})


@fact("cookies come back, and go")
def _():
    with requests.Session() as session:
        same(keys(ask("GET", "/cookies", session)), ["cookies"])
        same(ask("GET", "/cookies/set?a=1&b=ü", session).json(), {"cookies": {"a": "1", "b": "ü"}})
        same(ask("GET", "/cookies/set/c/x%20y", session).json()["cookies"]["c"], "x y")
        same(ask("GET", "/cookies/delete?a&c", session).json(), {"cookies": {"b": "ü"}})
    for path in ["/cookies/set/a%3Bb/x", "/cookies/set/%0d%0a/x", "/cookies/set?%3D=x", "/cookies/delete?%C3%BC"]:
        same([path, status("GET", path)], [path, 400])
    same(status("GET", "/cookies/set?" + "&".join(f"c{n}" for n in range(51))), 400)


@fact("Basic, hidden Basic and Bearer")
def _():
    right, wrong = HTTPBasicAuth("ann", "s3cret"), HTTPBasicAuth("ann", "wrong")
    same(ask("GET", "/basic-auth/ann/s3cret", auth=right).json(), {"authenticated": True, "user": "ann"})
    refused = ask("GET", "/basic-auth/ann/s3cret", auth=wrong)
    same([refused.status_code, refused.headers["www-authenticate"]], [401, 'Basic realm="Fake Realm", charset="UTF-8"'])
    same(status("GET", "/basic-auth/ann/s3cret"), 401)
    same(ask("GET", "/basic-auth/Zo%C3%AB/p%C3%A4ss", auth=("Zoë".encode(), "päss".encode())).json()["user"], "Zoë")
    same(ask("GET", "/hidden-basic-auth/ann/s3cret", auth=right).json(), {"authenticated": True, "user": "ann"})
    same([status("GET", "/hidden-basic-auth/ann/s3cret", auth=wrong), status("GET", "/hidden-basic-auth/ann/s3cret")], [404, 404])
    bearer = ask("GET", "/bearer", headers={"Authorization": "Bearer to.k-en"})
    same([keys(bearer), bearer.json()], [["authenticated", "token"], {"authenticated": True, "token": "to.k-en"}])
    same(ask("GET", "/bearer").headers["www-authenticate"], 'Bearer realm="Fake Realm"')
    same([status("GET", "/bearer"), status("GET", "/bearer", headers={"Authorization": "Basic x"})], [401, 401])


@fact("Digest with each hash, with cookies, and stale after some uses")
def _():
    for tail in ["", "/MD5", "/SHA-256", "/SHA-512", "/nonsense", "/SHA-256/never"]:
        for qop in ["auth", "both"]:
            path = f"/digest-auth/{qop}/ann/s3cret{tail}"
            answer = ask("GET", path, auth=HTTPDigestAuth("ann", "s3cret"))
            same([answer.status_code, answer.json(), len(answer.history)], [200, {"authenticated": True, "user": "ann"}, 1])
            same(ask("GET", path, auth=HTTPDigestAuth("ann", "wrong")).status_code, 401)
            same(ask("GET", path, auth=HTTPDigestAuth("bob", "s3cret")).status_code, 401)
    challenge = ask("GET", "/digest-auth/both/ann/s3cret/SHA-512")
    same(challenge.cookies.get_dict(), {"stale_after": "never", "fake": "fake_value"})
    told = challenge.headers["www-authenticate"]
    assert re.fullmatch(r'Digest realm="httpbin", nonce="\w{32}", qop="auth, auth-int", opaque="\w{32}", algorithm=SHA-512, stale=false', told), told
    with requests.Session() as session:
        same(ask("GET", "/digest-auth/auth/ann/s3cret?require-cookie=1", session, auth=HTTPDigestAuth("ann", "s3cret")).status_code, 200)
    answer = ask("GET", "/digest-auth/auth/ann/s3cret?require-cookie=t", headers={"Authorization": 'Digest username="ann", realm="httpbin", nonce="a", uri="/", response="b"', "Cookie": "fake=other"})
    same([answer.status_code, answer.json()], [403, {"errors": ["missing cookie set on challenge"]}])
    for header in ["Digest", "Digest x", "Basic eDp5", "Digest username=ann", 'Digest username="ann", realm="httpbin", nonce="a", uri="/", response="b", qop="auth"']:
        same(status("GET", "/digest-auth/auth/ann/s3cret", headers={"Authorization": header}), 401)


def by_hand(path, qop, method="GET", body=b""):
    """auth-int and RFC 2069, which requests does not speak."""
    told = dict(re.findall(r'(\w+)="?([^",]+)"?', ask("GET", path).headers["www-authenticate"]))
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
    ha2 = md5(f"{method}:{path}" + (f":{hashlib.md5(body).hexdigest()}" if qop == "auth-int" else ""))
    middle = f":00000001:c:{qop}" if qop else ""
    response = md5(f'{md5("ann:httpbin:s3cret")}:{told["nonce"]}{middle}:{ha2}')
    extra = f', qop={qop}, nc=00000001, cnonce="c"' if qop else ""
    return {"Authorization": f'Digest username="ann", realm="httpbin", nonce="{told["nonce"]}", uri="{path}", response="{response}"{extra}'}


@fact("Digest with auth-int, without a quality of protection, and with nonces that become stale")
def _():
    path = "/digest-auth/auth-int/ann/s3cret"
    same(ask("GET", path, headers=by_hand(path, "auth-int", body=b"body"), data=b"body").status_code, 200)
    same(ask("GET", path, headers=by_hand(path, "auth-int", body=b"body"), data=b"other").status_code, 401)
    same(ask("GET", path, headers=by_hand(path, "auth")).status_code, 401)
    same(ask("GET", path, headers=by_hand(path, "")).status_code, 200)
    path = "/digest-auth/auth/ann/s3cret/MD5/2"
    same(ask("GET", path).cookies["stale_after"], "2")
    for sent, code, left in [("2", 200, "1"), ("1", 200, "0"), ("0", 401, "2"), ("never", 200, "never"), ("x", 200, "never")]:
        answer = ask("GET", path, headers=by_hand(path, "auth"), cookies={"stale_after": sent})
        same([answer.status_code, answer.cookies["stale_after"]], [code, left])
        assert code == 200 or "stale=true" in answer.headers["www-authenticate"]
    used = by_hand(path, "auth")
    nonce = re.search('nonce="([^"]+)"', used["Authorization"])[1]
    answer = ask("GET", path, headers=used, cookies={"last_nonce": nonce})
    same([answer.status_code, answer.cookies["last_nonce"]], [401, nonce])
    other = by_hand("/digest-auth/auth/ann/s3cret", "auth")
    same(ask("GET", path, headers=other).status_code, 401)


@fact("gzip, deflate and brotli")
def _():
    for path, coding, mark in [("/gzip", "gzip", "gzipped"), ("/deflate", "deflate", "deflated")]:
        answer = ask("GET", path, headers={"Accept-Encoding": "identity"})
        same([answer.headers["content-encoding"], keys(answer)], [coding, sorted(["headers", "method", "origin", mark])])
        same([answer.json()["method"], answer.json()[mark]], ["GET", True])
    answer = ask("GET", "/brotli", stream=True)
    same(answer.headers["content-encoding"], "br")


@fact("/stream, /stream-bytes and /stream/m/n")
def _():
    answer = ask("GET", "/stream/5?a=1", stream=True)
    same(answer.headers["content-type"], "application/json")
    lines = [json.loads(line) for line in answer.iter_lines()]
    same([line["id"] for line in lines], [0, 1, 2, 3, 4])
    same({tuple(sorted(line)) for line in lines}, {tuple(sorted([*HEAD, "id"]))})
    same(lines[0]["args"], {"a": "1"})
    same([len(ask("GET", f"/stream/{n}").text.splitlines()) for n in [0, 100, 101, 10**14]], [0, 100, 100, 100])
    one, two = (ask("GET", f"/stream-bytes/1000?seed=7&chunk_size={n}").content for n in [1, 999])
    same([len(one), one == two], [1000, True])
    assert one != ask("GET", "/stream-bytes/1000?seed=8").content
    assert ask("GET", "/stream-bytes/50").content != ask("GET", "/stream-bytes/50").content
    same(len(ask("GET", "/stream-bytes/9999999").content), 102_400)
    same(ask("GET", "/stream/20/5").text, "a" * 100)
    for path in ["/stream/x", "/stream/-1", "/stream/1.5", "/stream/0/1", "/stream/1/0", "/stream/65537/1", "/stream/1/1001", "/stream-bytes/x"]:
        same(status("GET", path), 404)
    for query in ["seed=x", "seed=1.5", "chunk_size=0", "chunk_size=-1", "chunk_size=x", "seed="]:
        same(status("GET", f"/stream-bytes/10?{query}"), 400)


@fact("/bytes, with a seed and without")
def _():
    answer = ask("GET", "/bytes/64?SEED=7")
    same([answer.headers["content-type"], len(answer.content)], ["application/octet-stream", 64])
    same(answer.content, ask("GET", "/stream-bytes/64?seed=7").content)
    same(answer.content, ask("GET", "/bytes/64?seed=7").content)
    assert ask("GET", "/bytes/64").content != ask("GET", "/bytes/64").content
    same([len(ask("GET", f"/bytes/{n}").content) for n in [0, 102_400, 102_401]], [0, 102_400, 102_400])
    same([status("GET", f"/bytes/{n}") for n in ["-1", "x", "1e3", "0x10"]], [404] * 4)
    same(status("GET", "/bytes/1?seed=a"), 400)


@fact("/drip: its delay, duration, number and status")
def _():
    began = time.monotonic()
    answer = ask("GET", "/drip?duration=0.4&numbytes=4&delay=0.2&code=201", stream=True)
    first = time.monotonic() - began
    times = [time.monotonic() for _ in answer.iter_content(1)]
    same([answer.status_code, answer.headers["content-length"], len(times)], [201, "4", 4])
    assert first >= 0.2 and times[-1] - times[0] >= 0.25, (first, times)
    same(ask("GET", "/drip?duration=0&numbytes=300000").content, b"*" * 300_000)
    same([status("GET", f"/drip?duration=0&code={code}") for code in [204, 205, 304, 500]], [204, 205, 304, 500])
    for query in ["numbytes=0", "numbytes=-1", "numbytes=1.5", "numbytes=x", "duration=-1", "duration=NaN", "duration=Infinity", "duration=1e9", "delay=x", "code=100", "code=abc", "code="]:
        same(status("GET", f"/drip?{query}"), 400)


@fact("/range: parts, conditions, and what is out of range")
def _():
    whole = ask("GET", "/range/100")
    same([whole.status_code, whole.headers["etag"], whole.headers["accept-ranges"]], [200, '"range100"', "bytes"])
    same(whole.text, ("abcdefghijklmnopqrstuvwxyz" * 4)[:100])
    for spec, start, end in [("0-0", 0, 1), ("10-35", 10, 36), ("90-", 90, 100), ("-5", 95, 100), ("50-999", 50, 100)]:
        part = ask("GET", "/range/100?chunk_size=7", headers={"Range": f"bytes={spec}"})
        same([part.status_code, part.text, part.headers["content-range"]], [206, whole.text[start:end], f"bytes {start}-{end - 1}/100"])
    out = ask("GET", "/range/100", headers={"Range": "bytes=100-"})
    same([out.status_code, out.headers["content-range"]], [416, "bytes */100"])
    for spec in ["bytes=0-1,5-6", "lines=0-1", "bytes=x", "bytes", "bytes=5-1,9-2"]:
        assert status("GET", "/range/100", headers={"Range": spec}) in [200, 416], spec
    same(status("GET", "/range/100", headers={"Range": "bytes=0-1", "If-Range": '"other"'}), 200)
    same(status("GET", "/range/100", headers={"If-None-Match": '"range100"'}), 304)
    same(status("GET", "/range/100", headers={"If-Match": '"other"'}), 412)
    began = time.monotonic()
    same(len(ask("GET", "/range/100?duration=0.3&chunk_size=25").content), 100)
    assert time.monotonic() - began >= 0.2
    same([status("GET", f"/range/{n}") for n in [0, 102_401, "x", -1]], [404] * 4)
    same(len(ask("GET", "/range/102400").content), 102_400)
    same([status("GET", f"/range/10?{query}") for query in ["chunk_size=0", "duration=x"]], [400, 400])


@fact("/delay, and what it does not wait for")
def _():
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]:
        began = time.monotonic()
        answer = ask(method, "/delay/0.1?a=1")
        assert time.monotonic() - began >= 0.1
        same(keys(answer), [key for key in WHOLE if key != "json"])
    same([status("GET", f"/delay/{n}") for n in ["x", "-1", "NaN", "1e3", "Infinity"]], [404] * 5)
    try:
        ask("GET", "/delay/99999", timeout=0.2)
        raise AssertionError("it did not wait")
    except requests.ReadTimeout:
        pass


@fact("caches: 304, ETags and Cache-Control")
def _():
    fresh = ask("GET", "/cache")
    same(keys(fresh), HEAD)
    for name, value in [("If-Modified-Since", fresh.headers["last-modified"]), ("If-None-Match", fresh.headers["etag"])]:
        same(status("GET", "/cache", headers={name: value}), 304)
    answer = ask("GET", "/cache/60")
    same([keys(answer), answer.headers["cache-control"]], [HEAD, "public, max-age=60"])
    same([status("GET", f"/cache/{n}") for n in ["x", "-1", "1.5"]], [404] * 3)
    tagged = ask("GET", "/etag/star")
    same([keys(tagged), tagged.headers["etag"]], [HEAD, '"star"'])
    for name, value, wanted in [("If-None-Match", '"star"', 304), ("If-None-Match", '"a", W/"star"', 304), ("If-None-Match", "*", 304), ("If-None-Match", '"a"', 200), ("If-Match", '"star"', 200), ("If-Match", "*", 200), ("If-Match", '"a"', 412)]:
        answer = ask("GET", "/etag/star", headers={name: value})
        same([name, value, answer.status_code, answer.headers["etag"]], [name, value, wanted, '"star"'])
    same([status("GET", f"/etag/{tag}") for tag in ["%22", "%20", "%0d%0a", "%C3%BC"]], [400] * 4)


@fact("/response-headers: those that were asked for, and its own")
def _():
    for method in ["GET", "POST"]:
        answer = ask(method, "/response-headers?X-A=1&X-B=2&X-B=3")
        told = {"Content-Length": str(len(answer.content)), "Content-Type": "application/json", "X-A": "1", "X-B": ["2", "3"]}
        same([answer.json(), answer.headers["x-a"], answer.headers["x-b"]], [told, "1", "2, 3"])
    answer = ask("GET", "/response-headers?content-type=text/html&x=<script>")
    same([answer.headers["content-type"], "<" in answer.text, answer.json()["x"]], ["text/html", False, "<script>"])
    for length in range(18, 30):
        answer = ask("GET", "/response-headers?X=" + "9" * length)
        same(answer.json()["Content-Length"], str(len(answer.content)))
    for query in ["a%0d%0ab=1", "X=a%0d%0aSet-Cookie:b", "a%20b=1", "=1", "X=%E6%9D%B1", "Connection=close", "Transfer-Encoding=chunked", "Content-Length=1", "Proxy-Authenticate=x", "Date=x"]:
        same([query, status("GET", f"/response-headers?{query}")], [query, 400])


@fact("/base64, /uuid, /links")
def _():
    text = "Ünïcode / and + signs? ~"
    same(ask("GET", "/base64/" + base64.urlsafe_b64encode(text.encode()).decode()).text, text)
    for value in ["____", "A", "a*b", "%3Cscript%3E"]:
        answer = ask("GET", f"/base64/{value}")
        same([answer.status_code, answer.text[:21], answer.headers["content-type"]], [200, "Incorrect Base64 data", "text/plain; charset=utf-8"])
    answer = ask("GET", "/uuid")
    same([keys(answer), uuid.UUID(answer.json()["uuid"]).version], [["uuid"], 4])
    first = ask("GET", "/links/10")
    same([first.url, len(first.history)], [f"{URL}/links/10/0", 1])
    links = lambda path: re.findall(r'href="([^"]+)"', ask("GET", path).text)
    same(links("/links/3/1"), ["/links/3/0", "/links/3/2"])
    same([len(links(path)) for path in ["/links/10/99", "/links/0/0", "/links/9999/0"]], [10, 0, 199])
    same([status("GET", f"/links/{path}") for path in ["x", "-1/0", "1/x", "1/-1"]], [404] * 4)


@fact("images by path, and by Accept")
def _():
    marks = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "svg": b"<svg"}
    types = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "svg": "image/svg+xml"}
    for name, mark in marks.items():
        for path, accept in [(f"/image/{name}", "*/*"), ("/image", types[name])]:
            answer = ask("GET", path, headers={"Accept": accept})
            same([answer.status_code, answer.headers["content-type"].split(";")[0], answer.content.startswith(mark)], [200, types[name], True])
    for accept, name in [("*/*", "png"), ("image/*", "png"), ("image/webp;q=0.5, image/jpeg;q=0.7", "jpeg"), ("image/svg+xml,*/*;q=0.1", "svg")]:
        same(ask("GET", "/image", headers={"Accept": accept}).headers["content-type"].split(";")[0], types[name])
    same(ask("GET", "/image", headers={"Accept": None}).headers["content-type"], "image/png")
    refused = ask("GET", "/image", headers={"Accept": "application/json"})
    same([refused.status_code, keys(refused), refused.json()["accept"]], [406, ["accept", "message"], list(types.values())])
    same([status("GET", f"/image/{name}") for name in ["gif", "..%2fclip.webm", "%2e%2e", "png%00"]], [404] * 4)
    tag = ask("HEAD", "/image/png").headers["etag"]
    assert tag


@fact("documents")
def _():
    show = ask("GET", "/json")
    same(keys(show), ["slideshow"])
    same([list(show.json()["slideshow"]), [list(slide) for slide in show.json()["slideshow"]["slides"]]], [["author", "date", "slides", "title"], [["title", "type"], ["items", "title", "type"]]])
    for path, kind, part in [("/html", "text/html; charset=utf-8", "<h1>"), ("/encoding/utf8", "text/html; charset=utf-8", "∀x∈ℝ"), ("/forms/post", "text/html; charset=utf-8", 'name="custname"'), ("/xml", "application/xml", "<slideshow "), ("/robots.txt", "text/plain; charset=utf-8", "Disallow: /deny"), ("/deny", "text/plain; charset=utf-8", "not for you"), ("/plaintext", "text/plain; charset=utf-8", "Hello, World!")]:
        answer = ask("GET", path)
        same([path, answer.headers["content-type"], part in answer.content.decode()], [path, kind, True])
    import xml.etree.ElementTree as tree

    same(tree.fromstring(ask("GET", "/xml").content).tag, "slideshow")


@fact("pulsar's routes: bodies that stream, sizes, the server")
def _():
    body = bytes(range(256)) * 4000
    for data in [body, iter([body[:1000], body[1000:]])]:
        answer = ask("POST", "/post_chunks", data=data, headers={"Content-Type": "Text/X-Own; a=b"})
        same([answer.headers["content-type"], answer.content == body], ["text/x-own", True])
    same(ask("POST", "/post_chunks", data=b"x").headers["content-type"], "application/octet-stream")
    sha = hashlib.sha256(body).hexdigest()
    told = ask("PUT", "/upload", data=iter([body])).json()
    same([sorted(told), told["data"], told["method"]], [["args", "data", "files", "headers", "method"], {"bytes": len(body), "sha256": sha}, "PUT"])
    told = ask("PUT", "/upload", data={"field": "ü"}, files={"file": ("../a b.bin", body, "image/x-own")}).json()
    same(told["args"], {"field": "ü"})
    same(told["files"], [{"bytes": len(body), "filename": "a b.bin", "name": "file", "sha256": sha, "type": "image/x-own"}])
    same(status("PUT", "/upload", data=b"junk", headers={"Content-Type": "multipart/form-data; boundary=x"}), 400)
    same(status("POST", "/expect", data=b"x"), 417)
    sized = ask("GET", "/getsize/1000?a=1")
    same([keys(sized), sized.json()["size"], sized.json()["data"] == "d" * 1000, sized.json()["args"]], [["args", "data", "headers", "method", "size"], 1000, True, {"a": "1"}])
    same(len(ask("GET", "/getsize/8388608").json()["data"]), 8_388_608)
    same([status("GET", f"/getsize/{n}") for n in [0, 8_388_609, "x"]], [404] * 3)
    same(ask("GET", "/servername").text, f'{URL.split("//")[1].split(":")[0]}\n')
    stats = ask("GET", "/stats").json()
    same([sorted(stats), stats["gateway"]], [["gateway", "memoryMiB", "name", "requests", "uptimeSeconds", "workers"], GATEWAY])
    assert stats["requests"]["total"] > 100 and stats["requests"]["statuses"]["2xx"] > 50, stats
    stream = ask("GET", "/stats", headers={"Accept": "text/event-stream"}, stream=True)
    lines = stream.iter_lines(chunk_size=1)
    same(next(lines), b"event: stats")
    same(sorted(json.loads(next(lines).split(b": ", 1)[1])), sorted(stats))
    stream.close()
    for path in ["/clip", "/clip/4096", "/clip/4194304"]:
        clip = ask("GET", path)
        same([clip.status_code, clip.headers["content-type"], clip.content[:4]], [200, "video/webm", b"\x1aE\xdf\xa3"])
    same([status("GET", f"/clip/{n}") for n in [1, 4_194_305, "x"]], [404] * 3)
    assert "clip.webm" in ask("GET", "/media/").text
    part = ask("GET", "/media/vela.png", headers={"Range": "bytes=1-3"})
    same([part.status_code, part.content], [206, b"PNG"])
    same([status("GET", f"/media/{path}") for path in ["nothing", "..%2fserver.ts", "%2e%2e/server.ts"]], [404, 400, 400])


@fact("methods that a path does not have, and CORS")
def _():
    for method, path, allow in [("POST", "/get", "GET, HEAD, OPTIONS"), ("GET", "/post", "POST, OPTIONS"), ("DELETE", "/uuid", "GET, HEAD, OPTIONS"), ("GET", "/upload", "PUT, OPTIONS")]:
        answer = ask(method, path)
        same([answer.status_code, answer.headers["allow"]], [405, allow])
    same([ask("OPTIONS", "/get").status_code, ask("OPTIONS", "/get").headers["allow"]], [204, "GET, HEAD, OPTIONS"])
    same(status("GET", "/nothing"), 404)
    origin = {"Origin": "https://app.example"}
    answer = ask("GET", "/get", headers=origin).headers
    same([answer["access-control-allow-origin"], answer["access-control-allow-credentials"]], ["https://app.example", "true"])
    preflight = ask("OPTIONS", "/put", headers={**origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-own"})
    same([preflight.status_code, preflight.headers["access-control-allow-headers"]], [204, "x-own"])


run_facts()
