"""The EDI codec: reads, checks and writes X12 and EDIFACT. Pure Python; knows no transport and no Odoo.

Nothing heavy is imported here: the parts load when they are first used.
"""
