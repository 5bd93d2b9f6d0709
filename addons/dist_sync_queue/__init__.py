from . import controllers, engine, models, sql, wizards
from .hooks import post_init_hook, uninstall_hook
