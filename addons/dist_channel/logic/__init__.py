"""Pure rules of a sales channel: no Odoo, no database, so that every rule can be read and tested by itself."""
