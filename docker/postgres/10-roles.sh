#!/bin/sh
# Run once by the PostgreSQL image on an empty data folder: Odoo's role and database, and the relay's role, which may
# do nothing until the addon dist_sync_queue grants it the functions of schema dist_relay.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    -v odoo="$(cat /run/secrets/odoo_db_password)" \
    -v relay="$(cat /run/secrets/relay_db_password)" <<'SQL'
CREATE ROLE odoo LOGIN PASSWORD :'odoo';
CREATE ROLE dist_relay LOGIN PASSWORD :'relay';
CREATE DATABASE dist OWNER odoo ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE dist FROM PUBLIC;
GRANT CONNECT ON DATABASE dist TO dist_relay;
SQL
