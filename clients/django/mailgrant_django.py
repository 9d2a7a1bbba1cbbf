"""Django mail through mailgrant: no password and no Google credential in the web tier.

    EMAIL_BACKEND = "mailgrant_django.EmailBackend"
    MAILGRANT_URL = "https://mailgrant-api-….run.app"
    MAILGRANT_API_KEY = os.environ["MAILGRANT_KEY"]
    DEFAULT_FROM_EMAIL = SERVER_EMAIL = "notices@example.com"  # addresses that the key may send from

One file, standard library only, Django 3.2 and later. Every message is posted as the MIME that Django composed, with the
envelope beside it, so that Bcc works and nothing is rebuilt. A message that is sent again after an error has the same
bytes and the same Idempotency-Key: the function answers for the first attempt and does not mail twice.

Settings (or keyword arguments of the same meaning, which are the OPTIONS of Django 6.1's MAILERS: url, api_key, identity,
audience, timeout):

MAILGRANT_URL       base URL of the function `api`; https, or http on loopback
MAILGRANT_API_KEY   key that `npx mailgrant key create` printed
MAILGRANT_IDENTITY  "metadata": an ID token of the machine's own service account, from Google's metadata server;
                    "adc": of whom Application Default Credentials name, where that takes no key (see adc_token);
                    or a callable (or its dotted path) that takes the audience and answers such a token
MAILGRANT_AUDIENCE  audience of that token (default: scheme and host of MAILGRANT_URL)
EMAIL_TIMEOUT       seconds to wait for one answer (default: 60)
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import smtplib
import ssl
import threading
import time
from email.generator import BytesGenerator
from email.message import Message
from email.utils import make_msgid, parseaddr
from io import BytesIO
from typing import Any, Callable, Iterable, NamedTuple, Sequence
from urllib.error import HTTPError
from urllib.parse import SplitResult, quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

__version__ = "0.2.0"
__all__ = [
    "EmailBackend",
    "MailgrantAuthenticationError",
    "MailgrantDataError",
    "MailgrantError",
    "MailgrantRecipientsRefused",
    "MailgrantSenderRefused",
    "MailgrantUnavailable",
]

TIMEOUT_SECONDS = 60
REPLY_MAX_BYTES = 65536
ENVELOPE_MAX_BYTES = 12000  # it travels in one header, and a function takes 16 KiB of headers
KEY_HEADER = "Resend-Idempotency-Key"
TOKEN_URL = "https://oauth2.googleapis.com/token"
METADATA_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"


class Reply(NamedTuple):
    """What the function answered; status 0 is no answer at all, with the reason as message."""

    status: int
    body: dict[str, Any]
    retry_after: int | None = None


class MailgrantError(smtplib.SMTPException):
    """A mail that was not sent, or whose fate is not known. Code that catches smtplib's exceptions catches this one.

    `code` and `fix` are the function's own words (its closed table of failures), `mail_id` is the id in the ledger,
    `status` the HTTP status (0: no answer), `retry_after` seconds to wait, where the function said so.
    """

    def __init__(self, reply: Reply, sender: str = "", recipients: Sequence[str] = ()) -> None:
        self.reply = reply
        self.status = reply.status
        self.code: str | None = reply.body.get("code")
        self.fix: str | None = reply.body.get("fix")
        self.mail_id: str | None = reply.body.get("id")
        self.retry_after = reply.retry_after
        self.smtp_code = _smtp_code(reply)
        self.smtp_error: Any = _said(reply).encode()
        self.sender = sender
        self.recipients = {one: (self.smtp_code, self.smtp_error) for one in recipients}
        self.args = (self.smtp_code, self.smtp_error)

    def __str__(self) -> str:
        facts = [("code", self.code), ("mail", self.mail_id), ("fix", self.fix)]
        told = "".join(" [%s: %s]" % fact for fact in facts if fact[1])
        return "%d %s%s" % (self.smtp_code, _said(self.reply), told)

    def __reduce__(self) -> tuple[Any, ...]:  # a task queue carries exceptions from one process to another
        return type(self), (self.reply, self.sender, tuple(self.recipients))


class MailgrantAuthenticationError(MailgrantError, smtplib.SMTPAuthenticationError):
    """The API key, or the identity, is not accepted."""


class MailgrantSenderRefused(MailgrantError, smtplib.SMTPSenderRefused):
    """The key may not send from that address."""


class MailgrantRecipientsRefused(MailgrantError, smtplib.SMTPRecipientsRefused):
    """The key may not send to one of the addresses, or it is none."""


class MailgrantDataError(MailgrantError, smtplib.SMTPDataError):
    """The mail itself is refused; the same mail would be refused again."""


class MailgrantUnavailable(MailgrantError, smtplib.SMTPResponseException):
    """Not now, or no answer: send the same message object (or the same idempotency key) again; it is mailed once."""


class EmailBackend(BaseEmailBackend):
    """Posts messages to mailgrant's `POST /v1/raw` over one kept connection."""

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        url: str | None = None,
        api_key: str | None = None,
        identity: str | Callable[[str], str] | None = None,
        audience: str | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fail_silently = fail_silently  # ours to keep since Django 6.1, whose base class takes it for an unknown option
        given = url or getattr(settings, "MAILGRANT_URL", None) or ""
        self.url = _base_url(given)
        self.api_key = (api_key or getattr(settings, "MAILGRANT_API_KEY", None) or "").strip()
        self.identity = identity or getattr(settings, "MAILGRANT_IDENTITY", None)
        root = "%s://%s" % (self.url.scheme, self.url.netloc)
        self.audience = audience or getattr(settings, "MAILGRANT_AUDIENCE", None) or root
        # Read only where somebody set it: from Django 6.1 on it is deprecated, and gone where MAILERS is used.
        waiting = getattr(settings, "EMAIL_TIMEOUT", None) if settings.is_overridden("EMAIL_TIMEOUT") else None
        self.timeout = timeout or waiting or TIMEOUT_SECONDS
        if not self.api_key and not self.identity:
            raise ImproperlyConfigured("Set MAILGRANT_API_KEY, or MAILGRANT_IDENTITY = 'metadata'.")
        if self.api_key and not TOKEN.fullmatch(self.api_key):
            raise ImproperlyConfigured("MAILGRANT_API_KEY holds a blank, a line break or a letter that no key has.")
        self.connection: http.client.HTTPConnection | None = None
        self._used = False
        self._token: tuple[str, float] = ("", 0.0)
        self._lock = threading.RLock()

    def open(self) -> bool | None:
        """Connect; True if that was needed, False if not, None if it failed silently."""
        if self.connection:
            return False
        secure = self.url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        options: dict[str, Any] = {"context": ssl.create_default_context()} if secure else {}
        connection = kind(self.url.hostname or "", self.url.port, timeout=self.timeout, **options)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            if not self.fail_silently:
                raise MailgrantUnavailable(_silence(error, "nothing was sent")) from error
            return None
        self.connection, self._used = connection, False
        return True

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self.connection = self.connection, None
        if connection:
            connection.close()

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """Send the messages in order; answers how many were sent. Raises at the first that was not, unless silent."""
        messages = list(email_messages or ())
        if not messages:
            return 0
        with self._lock:
            opened = self.open()
            if not self.connection or opened is None:
                return 0
            try:
                return sum(self._send(message) for message in messages)
            finally:
                if opened:
                    self.close()

    def _send(self, message: EmailMessage) -> bool:
        if not message.recipients():
            return False
        try:
            letter = compose(message)
            reply = self._post(letter)
            if reply.status != 200 or not reply.body.get("id"):
                raise error_for(reply, letter.sender, letter.recipients)
            return True
        except smtplib.SMTPException:
            if not self.fail_silently:
                raise
            return False

    def _post(self, letter: Letter) -> Reply:
        headers = {
            "Content-Type": "message/rfc822",
            "Accept": "application/json",
            "User-Agent": "mailgrant-django/" + __version__,
            "Idempotency-Key": letter.key,
            "x-envelope-from": letter.sender,
            "x-envelope-to": ",".join(letter.recipients),
        }
        reply, lost = Reply(0, {"message": "mailgrant did not answer; %s." % MAYBE}), False
        for pause in PAUSES:
            time.sleep(pause)
            kept = self._used
            try:
                reply = self._exchange(letter.raw, {**headers, **self._credentials()})
            except MailgrantError:
                raise
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not (kept and isinstance(error, CLOSED)):
                    raise MailgrantUnavailable(_silence(error, MAYBE)) from error
                lost = True  # a kept connection that was closed says nothing about the mail: again, under the same key
            else:
                if not (lost and reply.body.get("code") == "in_flight"):  # then the first request did arrive
                    break
        return reply

    def _exchange(self, raw: bytes, headers: dict[str, str]) -> Reply:
        if not self.connection:  # it was closed, or a message before this one failed silently and took it along
            self.open()
        connection = self.connection
        if not connection:
            raise MailgrantUnavailable(Reply(0, {"message": "mailgrant could not be reached; nothing was sent."}))
        try:
            connection.request("POST", self.url.path + "/v1/raw", body=raw, headers=headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while it was still coming; the answer says why
        with connection.getresponse() as response:
            self._used = True
            body = response.read(REPLY_MAX_BYTES)
            after = response.headers.get("retry-after", "")
            told = _without(_json(body), [self.api_key, self._token[0]])
            return Reply(response.status, told, int(after) if after.isdigit() else None)

    def _credentials(self) -> dict[str, str]:
        if not self.identity:
            return {"Authorization": "Bearer " + self.api_key}
        token = "Bearer " + self._identity_token()
        if self.api_key:  # IAM lets the identity in, the function knows the caller by the key
            return {"Authorization": "Bearer " + self.api_key, "X-Serverless-Authorization": token}
        return {"Authorization": token}

    def _identity_token(self) -> str:
        token, expires = self._token
        if time.time() < expires - 60:
            return token
        identity = self.identity
        if isinstance(identity, str):
            identity = {"metadata": metadata_token, "adc": adc_token}.get(identity) or import_string(identity)
        assert identity  # it was asked for: see _credentials
        token = str(identity(self.audience)).strip()
        if not TOKEN.fullmatch(token):
            raise MailgrantUnavailable(Reply(0, {"message": "MAILGRANT_IDENTITY gave no token; nothing was sent."}))
        self._token = (token, _expiry(token))
        return token


MAYBE = "it may have been sent: send the same message again, it is mailed once"
PAUSES = (0, 0, 0.2, 0.5, 1, 2)  # seconds before each attempt; all but the first after a closed connection only
# What may stand in a header: http.client refuses anything else in words that quote it, and this is a secret.
TOKEN = re.compile(r"[\x21-\x7e]+")
# What a connection says that was closed between two messages.
CLOSED = (http.client.RemoteDisconnected, http.client.CannotSendRequest, BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)


class Letter(NamedTuple):
    """A composed message: its bytes, its envelope, and the key under which it is mailed once."""

    raw: bytes
    sender: str
    recipients: tuple[str, ...]
    key: str


def compose(message: EmailMessage) -> Letter:
    """The message as bytes that are the same whenever it is composed.

    Django draws Message-ID, Date and boundaries anew each time. Boundaries are derived from the content here (so nobody
    who writes a part of it can guess them). Date is left to the function, which takes the time of the first attempt.
    Message-ID stays with the message object; with an idempotency key of the app's own it is left to the function too.
    """
    sender = envelope_address(message.from_email, sender=True)
    recipients = tuple(dict.fromkeys(envelope_address(one) for one in message.recipients()))
    if len(",".join(recipients)) > ENVELOPE_MAX_BYTES:
        why = {"message": "Too many recipients for one message; nothing was sent.", "code": "request_invalid"}
        raise MailgrantRecipientsRefused(Reply(422, {**why, "fix": "Send one message per recipient."}))
    own = {name.lower(): str(value) for name, value in message.extra_headers.items()}
    mime = message.message()
    for name in ("Date", "Message-ID"):
        if name.lower() not in own:
            del mime[name]
    del mime[KEY_HEADER]
    key = own.get(KEY_HEADER.lower(), "").strip()
    ours = [part for part in mime.walk() if part.get_content_maintype() == "multipart" and not part.get_boundary()]
    _mark(ours, "")
    raw = _flatten(mime)
    digest = hashlib.sha256(raw).hexdigest()
    if ours:
        _mark(ours, digest)
        raw = _flatten(mime)
    if key:
        return Letter(raw, sender, recipients, _in_header(key))
    message_id = own.get("message-id")
    if not message_id:
        message_id = _kept_id(message, digest, sender)
        raw = b"Message-ID: " + message_id.encode() + b"\r\n" + raw
    envelope = json.dumps([message_id, sender, *recipients])
    return Letter(raw, sender, recipients, "django/" + hashlib.sha256(envelope.encode()).hexdigest())


def _mark(parts: Sequence[Message], digest: str) -> None:
    for index, part in enumerate(parts):
        part.set_boundary("=_%d_%s" % (index, digest[:48]))


def _flatten(mime: Message) -> bytes:
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False).flatten(mime, linesep="\r\n")
    return out.getvalue()


def _kept_id(message: EmailMessage, digest: str, sender: str) -> str:
    """The Message-ID of this object as long as its content stays; one that was changed is another mail."""
    known, message_id = getattr(message, "_mailgrant_id", ("", ""))
    if known != digest:
        message_id = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
        message._mailgrant_id = (digest, message_id)
    return message_id


def _in_header(key: str) -> str:
    try:
        key.encode("latin-1")
    except UnicodeError:
        why = {"message": "The idempotency key cannot stand in a header.", "code": "idempotency_key_invalid"}
        raise MailgrantDataError(Reply(400, {**why, "fix": "Use 1 to 256 letters of ASCII."})) from None
    return key


def _base_url(given: str) -> SplitResult:
    """The function's URL. Raises ImproperlyConfigured for one that a key, or a mail, must not go to."""
    try:
        url = urlsplit(given.rstrip("/"))
        host, _port = url.hostname, url.port
    except ValueError:
        url, host = urlsplit(""), None
    loopback = host in ("localhost", "127.0.0.1", "::1")
    if not host or "@" in url.netloc or not (url.scheme == "https" or (url.scheme == "http" and loopback)):
        raise ImproperlyConfigured("MAILGRANT_URL must be the https URL of the function (http on loopback only).")
    return url


def envelope_address(address: str, sender: bool = False) -> str:
    """The bare address with its domain in ASCII. Raises MailgrantRecipientsRefused, or MailgrantSenderRefused, where there is none."""
    bare = parseaddr(str(address))[1]
    local, _, domain = bare.rpartition("@")
    try:
        plain = "%s@%s" % (local, domain.encode("idna").decode())
        plain.encode("ascii")
    except UnicodeError:
        plain = ""
    # parseaddr takes a line break out, and another address is left.
    nowhere = sender and "." not in domain  # webmaster@localhost, as a stock project has it: the function takes no such address
    if nowhere or not local or not domain or "," in plain or not plain or re.search(r"[\r\n\0]", str(address)):
        why = {"message": "An address is not one that mail can be sent to.", "code": "request_invalid"}
        reply = Reply(422, {**why, "fix": "Correct the addresses of the mail."})
        raise MailgrantSenderRefused(_named(reply, str(address)), str(address)) if sender else MailgrantRecipientsRefused(reply, recipients=[str(address)])
    return plain


def error_for(reply: Reply, sender: str, recipients: Sequence[str]) -> MailgrantError:
    """The exception that says what the function answered."""
    smtp, code = _smtp_code(reply), reply.body.get("code")
    if smtp == 535:
        return MailgrantAuthenticationError(reply)
    if smtp == 451:
        return MailgrantUnavailable(reply)
    if code == "sender_not_allowed":
        return MailgrantSenderRefused(_named(reply, sender), sender)
    if code == "recipient_not_allowed":
        return MailgrantRecipientsRefused(reply, recipients=recipients)
    return MailgrantDataError(reply)


def _named(reply: Reply, sender: str) -> Reply:
    """The same answer, with the sender that was refused and the setting that it comes from."""
    value = parseaddr(sender)[1] or sender
    names = [name for name in ("DEFAULT_FROM_EMAIL", "SERVER_EMAIL") if value in _senders(name, sender)]
    if not names:
        return reply._replace(body={**reply.body, "message": "%s The sender is %s." % (_said(reply), value)})
    fix = "Set %s in the settings to an address that the key may send from." % " and ".join(names)
    message = "%s The sender is %s, which is %s of the settings." % (_said(reply), value, " and ".join(names))
    return reply._replace(body={**reply.body, "message": message, "fix": fix})


def _senders(name: str, sender: str) -> tuple[str, str]:
    value = str(getattr(settings, name, ""))
    try:
        return value, envelope_address(value)
    except MailgrantError:
        return value, parseaddr(value)[1]


def _said(reply: Reply) -> str:
    return str(reply.body.get("message") or "HTTP %d" % reply.status)


def _smtp_code(reply: Reply) -> int:
    name, code, status = reply.body.get("name"), reply.body.get("code"), reply.status
    if status in (401, 403) and (name in (None, "missing_api_key", "invalid_api_key", "restricted_api_key")):
        return 535
    if status in (0, 200, 408, 429) or status >= 500 or name == "concurrent_idempotent_requests":
        return 451
    return 552 if code == "too_large" or status == 413 else 550


def _silence(error: Exception, fate: str) -> Reply:
    why = "timed out" if isinstance(error, TimeoutError) else type(error).__name__
    return Reply(0, {"message": "mailgrant did not answer (%s); %s." % (why, fate)})


def _without(value: Any, secrets: Sequence[str]) -> Any:
    """The same without the secrets, wherever it quotes them: a proxy may echo a request, and exceptions are logged."""
    if isinstance(value, str):
        for secret in filter(None, secrets):
            value = value.replace(secret, "[secret]")
        return value
    if isinstance(value, dict):
        return {_without(name, secrets): _without(one, secrets) for name, one in value.items()}
    return [_without(one, secrets) for one in value] if isinstance(value, list) else value


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def metadata_token(audience: str) -> str:
    """An ID token of this machine's service account (Cloud Run, GCE, GKE), from the metadata server."""
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        path = "%s?audience=%s&format=full" % (METADATA_PATH, quote(audience, safe=""))
        connection.request("GET", path, headers={"Metadata-Flavor": "Google"})
        response = connection.getresponse()
        token = response.read(REPLY_MAX_BYTES).decode().strip()
    except (OSError, http.client.HTTPException) as error:
        raise _nobody("the metadata server", type(error).__name__) from error
    finally:
        connection.close()
    if response.status != 200:
        raise _nobody("the metadata server", "HTTP %d" % response.status)
    return token


def adc_token(audience: str) -> str:
    """An ID token by Application Default Credentials: the metadata server's, or that of an impersonated service account.

    A file of credentials is taken where it holds no key: `gcloud auth application-default login
    --impersonate-service-account=…` on a laptop, workload identity federation (from a file or URL) elsewhere.
    """
    home = os.environ.get("CLOUDSDK_CONFIG") or os.path.join(os.path.expanduser("~"), ".config", "gcloud")
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or os.path.join(home, "application_default_credentials.json")
    try:
        with open(path, encoding="utf-8") as file:
            adc = json.load(file)
    except FileNotFoundError:
        return metadata_token(audience)
    url, source = adc.get("service_account_impersonation_url"), adc.get("source_credentials", {})
    if url and adc.get("type") == "impersonated_service_account" and source.get("refresh_token"):
        form = {name: source[name] for name in ("client_id", "client_secret", "refresh_token")}
        token_url = _safe_url(source.get("token_uri", TOKEN_URL))
        form["grant_type"] = "refresh_token"
    elif url and adc.get("type") == "external_account":
        token_url = _safe_url(adc["token_url"])
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": adc["audience"],
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "subject_token_type": adc["subject_token_type"],
            "subject_token": _subject_token(adc["credential_source"]),
        }
    else:
        why = "MAILGRANT_IDENTITY = 'adc': %s is of a kind (%s) that needs Google's library. Use a callable."
        raise ImproperlyConfigured(why % (path, adc.get("type")))
    url = _safe_url(url)
    token = _google(Request(token_url, urlencode(form).encode()), "access_token")
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    wanted = json.dumps({"audience": audience, "includeEmail": True}).encode()
    return _google(Request(url.replace(":generateAccessToken", ":generateIdToken"), wanted, headers), "token")


# What a cloud's own metadata server is called; nobody outside the machine can be there.
LINK_LOCAL = ("169.254.169.254", "metadata.google.internal", "metadata")


def _safe_url(url: str, also: Sequence[str] = ()) -> str:
    """The URL, if a credential may go there: https, or http on loopback. Never file: or another scheme, whoever wrote the file."""
    parts = urlsplit(str(url))
    local = parts.hostname in ("localhost", "127.0.0.1", "::1", *also)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ImproperlyConfigured("MAILGRANT_IDENTITY = 'adc': a URL of the credentials file is not https.")
    return url


class _Stay(HTTPRedirectHandler):
    """No redirect is followed: it could lead a credential to another place."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


OPENER = build_opener(_Stay)


def _subject_token(source: dict[str, Any]) -> str:
    if "file" in source:
        with open(source["file"], encoding="utf-8") as file:
            text = file.read()
    elif "url" in source:
        text = _read(Request(_safe_url(source["url"], LINK_LOCAL), headers=source.get("headers", {}))).decode()
    else:
        raise ImproperlyConfigured("MAILGRANT_IDENTITY = 'adc': the credential_source needs Google's library. Use a callable.")
    style = source.get("format", {})
    return json.loads(text)[style["subject_token_field_name"]] if style.get("type") == "json" else text.strip()


def _google(request: Request, field: str) -> str:
    value = _json(_read(request)).get(field)
    if not isinstance(value, str):
        raise _nobody(request.host, "no %s" % field)
    return value


def _read(request: Request) -> bytes:
    try:
        with OPENER.open(request, timeout=10) as response:
            body: bytes = response.read(REPLY_MAX_BYTES)
            return body
    except OSError as error:
        raise _nobody(request.host, "HTTP %d" % error.code if isinstance(error, HTTPError) else type(error).__name__) from error


def _nobody(who: str, why: str) -> MailgrantUnavailable:
    return MailgrantUnavailable(Reply(0, {"message": "No identity from %s (%s); nothing was sent." % (who, why)}))


def _expiry(token: str) -> float:
    """When the token ends, in seconds since the epoch; 0 for one that does not say."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0.0
