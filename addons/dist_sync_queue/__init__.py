from . import controllers, engine, models, sql
from .hooks import post_init_hook, uninstall_hook
