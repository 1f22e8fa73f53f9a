"""Settings of the whole house, from the environment (`config/environment.py` lists every variable)."""

from __future__ import annotations

import re
from datetime import timedelta

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.broker import broker_url
from config.database import databases
from config.embedded.valkey import valkey_socket
from config.environment import BASE_DIR, boolean, data_folder, dated_document, names, number, text
from config.rooms import ROOMS
from config.secrets import installation_secret
from config.storage import storage

# What kind of installation ------------------------------------------------------------------------------------------
# Training: demo accounts, a banner on every page, loopback only. It is what a machine without an outside database is.
TRAINING = boolean("TRAINING", default=not text("DATABASE_URL"))
DEBUG = boolean("DEBUG", default=False)
DATA_FOLDER = data_folder()

if TRAINING:
    SECRET_KEY = text("SECRET_KEY") or installation_secret(DATA_FOLDER / "secret_key")
    ALLOWED_HOSTS = names("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
else:
    SECRET_KEY = text("SECRET_KEY")
    ALLOWED_HOSTS = names("ALLOWED_HOSTS")
    if not SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY is not set. Outside of training mode it must be.")

DEMO_PASSWORD = text(
    "DEMO_PASSWORD"
)  # for the command that fills an empty database; `make run` makes one if unset

# Signatures ---------------------------------------------------------------------------------------------------------
# Under 21 CFR 11.100(c) an organisation certifies to the FDA, once and in writing, that its electronic signatures bind
# as handwritten ones do.
PART11_LETTER = dated_document("PART11_LETTER")
PART11_SIGNING = boolean("PART11_SIGNING", default=False)
if PART11_SIGNING and PART11_LETTER is None:
    raise ImproperlyConfigured(
        "PART11_SIGNING is True, so PART11_LETTER has to name the letter of 21 CFR 11.100(c) and its day."
    )

# Images -------------------------------------------------------------------------------------------------------------
# How long a file as it came, with the patient's name, waits for somebody's decision before it is destroyed.
ORIGINALS_KEPT_DAYS = number("ORIGINALS_KEPT_DAYS", 30, low=1, high=365)

# Rooms --------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
INSTALLED_APPS = [
    *ROOMS,
    "config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # the templates of form fields, which FORM_RENDERER takes from there
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "django_vite",
    "drf_spectacular",
    "rest_framework",
]
MIDDLEWARE = [
    "foundation.middleware.RequestIdMiddleware",
    "config.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "foundation.middleware.CompressPagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "foundation.middleware.NoStoreMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLimitMiddleware",
    "accounts.middleware.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "foundation.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Pages --------------------------------------------------------------------------------------------------------------
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "foundation.context.house",
                "config.shell.shell",
            ],
            "builtins": ["foundation.templatetags.pieces"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Database and broker ------------------------------------------------------------------------------------------------
DATABASES = databases(SECRET_KEY)
for _connection in DATABASES.values():
    _connection.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
CELERY_BROKER_URL = broker_url(DATA_FOLDER)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.9,  # BRPOP waits in the event loop, not in the socket
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "visibility_timeout": 6 * 3600,
}
CELERY_BROKER_CONNECTION_TIMEOUT = 0.5
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = ("foundation.tasks.route",)
CELERY_TASK_TIME_LIMIT = 3600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1

# Files --------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
SPRITE = "sprite.svg"
DJANGO_VITE = {"default": {"dev_mode": False, "manifest_path": FRONTEND_DIST / "manifest.json"}}
STORAGES = {
    "default": storage(text("STORAGE_URL"), DATA_FOLDER / "files"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
_HASHED_NAME = re.compile(r"^.+[.-][0-9a-zA-Z_-]{8,12}\..+$")


def WHITENOISE_IMMUTABLE_FILE_TEST(path: str, url: str) -> bool:  # noqa: N802 - the name is WhiteNoise's
    """Names with a digest never change their content."""
    return _HASHED_NAME.match(url) is not None


# Mail ---------------------------------------------------------------------------------------------------------------
_email = environ.Env.email_url_config(text("EMAIL_URL", "consolemail://"))
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _email["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = "Hilum <no-reply@hilum.invalid>"
PUBLIC_URL = text("PUBLIC_URL", f"http://127.0.0.1:{text('PORT', '8000')}").rstrip("/")

# Sign-in ------------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.backends.PeopleBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_IDLE = timedelta(minutes=30)
SESSION_ABSOLUTE = timedelta(hours=12)
ACCOUNT_ADAPTER = "accounts.adapter.PeopleAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/sign-in/"
ACCOUNT_RATE_LIMITS = False  # django-axes counts failures, wrong codes of the second factor included
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Hilum"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=30)
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_LOCKOUT_CALLABLE = "accounts.views.locked"
AXES_USERNAME_CALLABLE = "accounts.adapter.account_name"
AXES_SENSITIVE_PARAMETERS = ["password", "code"]
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # an account is locked wherever the failures come from
AXES_VERBOSE = False

# Security -----------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if TRAINING:
    SESSION_COOKIE_NAME = "hilum_session"
    CSRF_COOKIE_NAME = "hilum_csrf"
else:  # behind a proxy that speaks TLS and sets X-Forwarded-Proto
    SESSION_COOKIE_NAME = "__Host-hilum_session"
    CSRF_COOKIE_NAME = "__Host-hilum_csrf"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

VERSION = "0.1.0"

# Interface for programs ---------------------------------------------------------------------------------------------
# Where REDIS_URL names a server, all web processes count requests together; else each counts by itself.
_shared = text("REDIS_URL") or (
    f"unix://{valkey_socket(DATA_FOLDER)}" if boolean("HILUM_SUPERVISED", default=False) else ""
)
_counting = text("REDIS_URL").startswith(("redis://", "rediss://"))
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "throttle": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": text("REDIS_URL"),
        "KEY_PREFIX": "throttle",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
    if _counting
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttle"},
    "presence": {  # who has a form open: for all web processes where there is a broker
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _shared,
        "KEY_PREFIX": "presence",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
    if _shared
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "presence"},
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "accounts.api.Description",
    "DEFAULT_THROTTLE_RATES": {"person": "1200/min", "stranger": "60/min"},
    "EXCEPTION_HANDLER": "foundation.api.answer_problem",
    "NUM_PROXIES": 0 if TRAINING else 1,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hilum",
    "VERSION": VERSION,
    "DESCRIPTION": "Subjects, visits, forms, eligibility, images and exports, over the services that people use.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": False,
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.name_parameters",
    ],
    "TAGS": [
        {"name": "me", "description": "Who asks."},
        {"name": "trials", "description": "Trials, protocols and what forms ask."},
        {"name": "subjects", "description": "Patients in trials."},
        {"name": "visits", "description": "Visits, their windows, and recording them."},
        {"name": "forms", "description": "Entered data, item by item."},
        {"name": "signatures", "description": "States of forms and signatures, to be read."},
        {"name": "eligibility", "description": "Criteria now, and what was signed."},
        {"name": "queries", "description": "Questions about what was entered."},
        {"name": "images", "description": "Imaging studies, and sending files."},
        {"name": "exports", "description": "Data sets with their manifest."},
    ],
    "ENUM_NAME_OVERRIDES": {
        "SubjectStatus": "patients.models.SubjectStatus",
        "VisitState": "visits.models.VisitState",
        "EntryState": "casebook.models.EntryState",
        "QueryState": "casebook.models.QueryState",
        "ExportState": "reports.models.ExportState",
        "BatchState": "imaging.models.BatchState",
        "FileState": "imaging.models.FileState",
        "StudyState": "imaging.models.StudyState",
        "VersionState": "trials.models.VersionState",
    },
}

# Log ----------------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "foundation.middleware.RequestIdFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django": {"handlers": [], "propagate": True}, "axes": {"level": "WARNING"}},
}
