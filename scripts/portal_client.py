"""A client of the portal's HTTP interface for scripts: cookies, JSON, and errors that say what the portal said."""

import json
import urllib.error
import urllib.request
from http.cookiejar import CookieJar


class Refused(Exception):
    """The portal answered with an error; `status` and `problem` are its own words."""

    def __init__(self, method, path, status, problem):
        self.status, self.problem = status, problem
        super().__init__(f"{method} {path}: {status} {problem.get('title', '')} {problem.get('detail', '')}".strip())


class Portal:
    def __init__(self, base):
        self.base = base
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path):
        return json.loads(self.raw("GET", path))

    def post(self, path, body=None):
        return self._json("POST", path, body)

    def put(self, path, body):
        return self._json("PUT", path, body)

    def upload(self, path, data, content_type):
        """Sends bytes as they are."""
        return json.loads(self._send("POST", path, data, content_type, patience=60))

    def raw(self, method, path, body=None):
        """The body of the answer, as bytes."""
        return self._send(method, path, None if body is None else json.dumps(body).encode(), "application/json")

    def _send(self, method, path, data, content_type, patience=10):
        request = urllib.request.Request(f"{self.base}/api/v1{path}", data=data, method=method)
        request.add_header("Content-Type", content_type)
        try:
            with self.opener.open(request, timeout=patience) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(method, path, error.code, _problem(error.read())) from None

    def _json(self, method, path, body):
        answer = self.raw(method, path, {} if body is None else body)
        return json.loads(answer) if answer else None


def _problem(body):
    try:
        return json.loads(body)
    except ValueError:
        return {"detail": body.decode(errors="replace")[:200]}
