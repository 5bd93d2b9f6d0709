from . import test_claim
from . import test_intake
from . import test_outbox
from . import test_relay_role
from . import test_connection
from . import test_exception
from . import test_security
