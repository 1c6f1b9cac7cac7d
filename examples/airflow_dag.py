"""MarketFinder every thirty minutes, as an Airflow DAG whose tasks are the steps of a run.

Airflow has an environment of its own and only calls the command of a checkout:
MARKETFINDER_HOME says where that is, /srv/marketfinder if nothing else does. Settings come from the
.env there. Tested with Airflow 3.3.2.
"""

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

HOME = os.environ.get("MARKETFINDER_HOME", "/srv/marketfinder")
# The steps of one DAG run share a name, under which gold.sync_logs has them as one run.
STEP = ".venv/bin/marketfinder run --wait 10m --run-id '{{ run_id }}' --step {{ task.task_id }}"
# Exit code 3: a venue was down, which the log says; what there is of the other is worth pricing.
ACCEPT_A_PART = "; code=$?; [ $code -eq 3 ] && exit 0; exit $code"

with DAG(
    dag_id="marketfinder",
    description="Extract, match, fetch order books, price and publish.",
    schedule="*/30 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["marketfinder"],
) as dag:
    before = None
    for name in ("extract", "pairs", "books", "prices", "publish"):
        step = BashOperator(
            task_id=name, bash_command=STEP + ACCEPT_A_PART, cwd=HOME, append_env=True
        )
        if before:
            before >> step
        before = step
