"""The same training in three ways of running. Who logs what is the same in all three.

    MLFLOW_TRACKING_URI=... python -m examples.training.ways sync|async|thread [--fail]

sync: in this process, which waits. async: as a job in a process of its own, which nobody waits
for. thread: in a background thread, while this one goes on. The run id goes to stdout as soon as
there is one. Exit codes: 0, and 1 where this process learns that the training went wrong.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mlflow import MlflowClient

from examples.training import train
from examples.training.train import EXPERIMENT, Options

if TYPE_CHECKING:
    from types import FrameType

TRAIN = str(Path(train.__file__).resolve())
ENDED = {"FINISHED", "FAILED", "KILLED"}
SEES_TO_IT = 0.5  # seconds between two looks of the thread that goes on


def here(options: Options) -> str:
    """Train now, in this thread; returns the run's id. What goes wrong is raised."""
    return train.recorded(options, said)


def submitted(options: Options) -> str:
    """Hand the training to a process of its own, and return the run's id without waiting.

    As in AML the run is made by who submits, and the job finds it in MLFLOW_RUN_ID.
    https://learn.microsoft.com/azure/machine-learning/how-to-use-mlflow-cli-runs
    """
    client = MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    where = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
    run = str(client.create_run(where).info.run_id)
    node = [sys.executable, "-m", "examples.training.ways", "node", *arguments(options)]
    subprocess.Popen(  # noqa: S603 - our own arguments
        node,
        env={**os.environ, "MLFLOW_RUN_ID": run},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    return run


def in_background(options: Options, stop: threading.Event) -> tuple[str, Future[str]]:
    """Train in another thread; returns the run's id once there is one, and what will come of it.

    The run is begun and ended in that thread: MLflow's active run is each thread's own, and a
    thread that logs without one would be given a run that nobody ends.
    """
    begun: Future[str] = Future()
    pool = ThreadPoolExecutor(1, "training")
    done = pool.submit(train.recorded, options, begun.set_result, stop)
    pool.shutdown(wait=False)
    done.add_done_callback(lambda ended: _tell_who_waits(begun, ended))
    return begun.result(), done


def node(options: Options) -> int:
    """What a node does for a job: run it, and end its run if the process could not.

    AML does as much for a process that was killed.
    """
    client, run = MlflowClient(), os.environ["MLFLOW_RUN_ID"]
    try:
        done = subprocess.run([sys.executable, TRAIN, *arguments(options)], check=False)  # noqa: S603
        return done.returncode
    finally:
        if client.get_run(run).info.status not in ENDED:
            client.set_terminated(run, "FAILED")


def arguments(options: Options) -> list[str]:
    """The options as a command line says them."""
    fail = ["--fail"] if options.fail else []
    return ["--epochs", str(options.epochs), "--seed", str(options.seed), *fail]


def said(run: str) -> None:
    """The run's id, for who reads stdout."""
    print(run, flush=True)


def go_on(options: Options) -> int:
    """Train in the background while this thread does something else."""
    stop = threading.Event()

    def leave(number: int, frame: FrameType | None) -> None:
        stop.set()  # else the interpreter would wait for the thread's last epoch
        train.leave(number, frame)

    signal.signal(signal.SIGTERM, leave)
    run, done = in_background(options, stop)
    said(run)
    while not done.done():
        sys.stderr.write("the main thread goes on\n")
        stop.wait(SEES_TO_IT)
    return 1 if done.exception() else 0


def main() -> int:
    """Train in the way that is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.training.ways", description=__doc__)
    parser.add_argument("way", choices=("sync", "async", "thread", "node"))
    train.add_options(parser)
    given = vars(parser.parse_args())
    way, options = given.pop("way"), Options(**given)
    signal.signal(signal.SIGTERM, train.leave)
    if way == "thread":
        return go_on(options)
    if way == "node":
        return node(options)
    if way == "async":
        said(submitted(options))
    else:
        here(options)
    return 0


def _tell_who_waits(begun: Future[str], done: Future[str]) -> None:
    """A thread that dies before it has a run must not be waited for."""
    error = done.exception()
    if error is not None and not begun.done():
        begun.set_exception(error)


if __name__ == "__main__":
    sys.exit(main())
