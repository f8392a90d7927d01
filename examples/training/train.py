"""Trains a small defect classifier for real and records it in MLflow, as an AML job would.

    MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python examples/training/train.py [--fail]

Logistic regression over features of surface images (made here, from a seed). It logs parameters,
metrics per epoch and the model with its signature, and registers the model. The run id is all that
goes to stdout. Needs numpy, pandas (MLflow's signature) and mlflow-skinny. In AML the job itself
sets tracking address and run: https://learn.microsoft.com/azure/machine-learning/how-to-use-mlflow-cli-runs
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # MLflow reads them when imported
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

import mlflow
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

Numbers = NDArray[np.float64]

EXPERIMENT = "defect-detection"
MODEL = "defect-classifier"
FEATURES = ("edge_density", "contrast", "blob_count", "brightness_spread")
TRUE_WEIGHTS = np.array([1.6, -1.1, 2.2, 0.7])


class Options(NamedTuple):
    """How to train; `fail`: go wrong in the middle."""

    epochs: int = 12
    seed: int = 7
    fail: bool = False


class Stopped(Exception):
    """Somebody wants the training to end now."""


class Images(NamedTuple):
    """Features of images, one row each, and whether each shows a defect (1.0) or not (0.0)."""

    features: Numbers
    defect: Numbers


class DefectClassifier(PythonModel):
    """The probability of a defect, from the four features."""

    def __init__(self, weights: Numbers, bias: float) -> None:
        self.weights = weights
        self.bias = bias

    def predict(
        self,
        context: PythonModelContext | None,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> Numbers:
        """One probability per row of a frame with the columns of FEATURES."""
        del context, params
        return self.probability(model_input[list(FEATURES)].to_numpy(np.float64))

    def probability(self, features: Numbers) -> Numbers:
        """One probability per row."""
        logits: Numbers = features @ self.weights + self.bias
        return 1.0 / (1.0 + np.exp(-logits))


def photographed(count: int, rng: np.random.Generator) -> Images:
    """As many images, noisy as a factory's are: a few defects look like none."""
    features = rng.normal(size=(count, len(FEATURES)))
    logits = features @ TRUE_WEIGHTS - 0.4 + rng.normal(scale=0.6, size=count)
    return Images(features, (logits > 0).astype(np.float64))


def improved(model: DefectClassifier, images: Images, rate: float, l2: float) -> DefectClassifier:
    """The model after one step down the gradient of the log loss."""
    error = model.probability(images.features) - images.defect
    slope = images.features.T @ error / len(error) + l2 * model.weights
    return DefectClassifier(model.weights - rate * slope, model.bias - rate * float(error.mean()))


def scores(model: DefectClassifier, images: Images) -> dict[str, float]:
    """Log loss, accuracy and recall on these images."""
    probability = np.clip(model.probability(images.features), 1e-9, 1 - 1e-9)
    found, defect = probability > 0.5, images.defect > 0.5  # noqa: PLR2004 - a coin's toss
    likelihood = np.where(defect, probability, 1 - probability)
    return {
        "loss": float(-np.log(likelihood).mean()),
        "accuracy": float((found == defect).mean()),
        "recall": float(found[defect].mean()),
    }


def recorded(
    options: Options,
    begun: Callable[[str], object],
    stop: threading.Event | None = None,
) -> str:
    """Train inside a run, and return its id, which `begun` is told first.

    The run belongs to the calling thread, as MLflow's active run does, and ends with it: as
    FINISHED, or as FAILED whatever was raised. A job's run is there already, in its experiment.
    """
    if "MLFLOW_RUN_ID" not in os.environ:
        mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(tags={"stage": "demo"}) as run:
        begun(run.info.run_id)
        train(options, stop or threading.Event())
    return str(run.info.run_id)


def train(options: Options, stop: threading.Event) -> None:
    """Train, log every epoch, and register what came out. Raises Stopped once `stop` is set."""
    rng = np.random.default_rng(options.seed)
    seen, unseen = photographed(2000, rng), photographed(500, rng)
    rate, l2 = 0.8, 0.001
    mlflow.log_params(
        {"epochs": options.epochs, "learning_rate": rate, "l2": l2, "seed": options.seed}
    )
    model = DefectClassifier(rng.normal(size=len(FEATURES)), 2.0)
    for epoch in range(1, options.epochs + 1):
        if stop.is_set():
            raise Stopped
        model = improved(model, seen, rate, l2)
        log_epoch(epoch, options.epochs, scores(model, unseen))
        if options.fail and epoch * 2 >= options.epochs:
            raise RuntimeError("the image store went away in the middle of the training")
    log_model(model, unseen)


def log_epoch(epoch: int, epochs: int, measured: dict[str, float]) -> None:
    """Log one epoch's metrics, and say them."""
    mlflow.log_metrics(measured, step=epoch)
    said = " ".join(f"{name}={value:.4f}" for name, value in measured.items())
    sys.stderr.write(f"epoch {epoch}/{epochs} {said}\n")


def log_model(model: DefectClassifier, images: Images) -> None:
    """Log and register the model with the signature that these images show."""
    frame = pd.DataFrame(images.features, columns=list(FEATURES))
    mlflow.pyfunc.log_model(
        name="model",
        python_model=model,
        signature=infer_signature(frame, model.predict(None, frame)),
        registered_model_name=MODEL,
        pip_requirements=[f"numpy=={np.__version__}"],
    )


def leave(number: int, _frame: FrameType | None) -> None:
    """Exit as a signal asks, but through the code, so that the run ends too."""
    sys.exit(128 + number)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be said about a training on a command line."""
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fail", action="store_true", help="go wrong in the middle")


def main() -> None:
    """Train inside a run of this process."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_options(parser)
    signal.signal(signal.SIGTERM, leave)
    recorded(Options(**vars(parser.parse_args())), lambda run: print(run, flush=True))


if __name__ == "__main__":
    main()
