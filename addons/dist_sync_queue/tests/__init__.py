from importlib.util import find_spec

from . import test_archive
from . import test_claim
from . import test_graph
from . import test_graph_concurrency
from . import test_insert
from . import test_graph_races
from . import test_intake
from . import test_intake_pulls
from . import test_outbox
from . import test_relay_role
from . import test_connection
from . import test_exception
from . import test_security
from . import test_health
from . import test_metrics
from . import test_engine_jobs
from . import test_engine_parking
from . import test_engine_concurrency
from . import test_worker_crash
from . import test_worker_life
from . import test_picture
from . import test_monitor
from . import test_actions
from . import test_tour_engine
from . import test_tour_units
from . import test_timing
from . import test_schedules
from . import test_schedule_shipped
from . import test_pull_schedules
from . import test_uninstall

if find_spec("hypothesis"):  # a tool of development; other installations run the other tests
    from . import test_outbox_machine
if find_spec("opentelemetry") and find_spec("opentelemetry.sdk"):
    from . import test_telemetry
