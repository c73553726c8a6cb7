# One image for web, workers, beat and commands.
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DJANGO_SETTINGS_MODULE=skypemgr.settings \
    STATIC_ROOT=/srv/static

# For restore_drill and dbshell: the client programs of PostgreSQL 18, which Debian 12 does not have itself.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
 && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y -v 18 \
 && apt-get install --yes --no-install-recommends \
    fonts-dejavu-core libpango-1.0-0 libpangoft2-1.0-0 postgresql-client-18 \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --system --uid 10001 --home-dir /srv/app --shell /usr/sbin/nologin skypemgr
WORKDIR /srv/app

COPY requirements.txt ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements.txt

COPY manage.py gunicorn.conf.py ./
COPY deploy/healthcheck.py deploy/healthcheck.py
COPY help help
COPY locale locale
COPY static static
COPY templates templates
COPY skypemgr skypemgr
COPY members members
COPY credit credit
COPY telephony telephony
COPY reports reports

# Neither needs a server or a secret, so the image is built in local mode and holds no value of an installation.
RUN APP_VAR=/tmp/build python manage.py compile_translations \
 && APP_VAR=/tmp/build python manage.py collectstatic --no-input --verbosity 0 \
 && rm -rf /tmp/build

# From here on every value that is missing stops the start.
ENV SKYPEMGR_ENV=production \
    WEB_BIND=0.0.0.0:8000
USER skypemgr
EXPOSE 8000
CMD ["gunicorn", "skypemgr.wsgi"]
