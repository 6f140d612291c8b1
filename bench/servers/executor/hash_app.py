"""The same handler for gunicorn's threads; hashlib lets go of the interpreter's lock while it computes."""

import hashlib
import json


def app(environ, start_response):
    digest = hashlib.scrypt(b'correct horse', salt=b'battery staple', n=4096, r=8, p=1, dklen=32)
    body = json.dumps({'hash': digest.hex()}).encode()
    start_response('200 OK', [('Content-Type', 'application/json'), ('Content-Length', str(len(body)))])
    return [body]
