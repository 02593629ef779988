"""For Airflow 3: migrate every night, then verify what was published. Needs the provider "standard"."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROGRAM = "/srv/h5ferry/.venv/bin/h5ferry"
OUTPUT = "/srv/models"

with DAG(
    dag_id="h5ferry",
    description="Migrate the model registry to SavedModel",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=10)},
    tags=["models"],
) as dag:
    # The run's id is Airflow's, so that report and log find each other. Exit status 3 (some rows were refused) is for
    # the report to tell; a retry finds what was published already, and only does the rest.
    migrate = BashOperator(
        task_id="migrate",
        bash_command=(
            f"{PROGRAM} migrate /srv/registry/manifest.csv --output {OUTPUT}"
            ' --run-id {{ run_id | replace(":", "") | replace("+", "_") }} --sign-key /etc/h5ferry/sign.pem'
            " --wait 3600 --quiet || [ $? -eq 3 ]"
        ),
        execution_timeout=timedelta(hours=6),
    )
    verify = BashOperator(
        task_id="verify",
        bash_command=f"{PROGRAM} verify {OUTPUT} --public-key /etc/h5ferry/sign.pub",
        execution_timeout=timedelta(hours=2),
        retries=0,
    )
    migrate >> verify
