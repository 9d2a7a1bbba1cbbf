"""Django with the emulator of mailgrant: one process for the session, an empty inbox for each test."""

import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
# The client: copied beside manage.py in a project of yours, or installed by pip.
sys.path.insert(0, os.environ.get("MAILGRANT_DJANGO", os.path.join(HERE, "node_modules/mailgrant/clients/django")))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")


class Emulator:
    def __init__(self, ready):
        self.api, self.key, self.sender = ready["api"], ready["key"], ready["from"]
        self._inbox, self._google = ready["inbox"], ready["google"]

    def _call(self, url, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=30) as reply:
            return json.loads(reply.read() or b"null") if "json" in reply.headers.get("content-type", "") else None

    def wait(self, query):
        """The newest email that matches, as soon as there is one; an error after five seconds."""
        return self._call(self._inbox + "/api/v1/wait?" + urllib.parse.urlencode({"query": query}))

    def clear(self):
        self._call(self._inbox + "/api/v1/messages", "DELETE")
        self._call(self._google + "/control/faults", "DELETE")

    def fault(self, name, standing=False):
        self._call(self._google + "/control/faults", "POST", {"name": name, "standing": standing})


@pytest.fixture(scope="session")
def _emulator():
    command = os.environ.get("MAILGRANT", "npx mailgrant").split() + ["dev", "--json", "--ephemeral", "--port", "0"]
    process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield Emulator(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def mailgrant(_emulator, settings):
    """pytest-django puts a locmem backend in place of the project's; this puts mailgrant's back."""
    settings.EMAIL_BACKEND = "mailgrant_django.EmailBackend"
    settings.MAILGRANT_URL, settings.MAILGRANT_API_KEY = _emulator.api, _emulator.key
    settings.DEFAULT_FROM_EMAIL = settings.SERVER_EMAIL = _emulator.sender
    _emulator.clear()
    return _emulator
