from . import mass_action
