"""From the outside world into the raw schema, and out again what was made of it: the `marketfinder`
command with its runs, builds, reports and publishers, and the simulators of what is outside."""

import os

# dlt reads these when it is first used: no usage statistics, no remarks about its own work, one
# column that names the load of a row, and no copy of its state in the warehouse.
os.environ.update(
    RUNTIME__DLTHUB_TELEMETRY="false",
    RUNTIME__LOG_LEVEL="ERROR",
    NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID="true",
    RESTORE_FROM_DESTINATION="false",
)
