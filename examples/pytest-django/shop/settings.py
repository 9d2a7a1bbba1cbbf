"""As much of a project's settings as sending needs."""

import os

SECRET_KEY = "only for tests"
INSTALLED_APPS: list = []
DATABASES: dict = {}

EMAIL_BACKEND = "mailgrant_django.EmailBackend"
MAILGRANT_URL = os.environ.get("MAILGRANT_URL", "http://127.0.0.1:8080")
MAILGRANT_API_KEY = os.environ.get("MAILGRANT_KEY", "")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = "shop@example.com"
