from . import dist_channel_mapping
from . import dist_offer
from . import sale_order
