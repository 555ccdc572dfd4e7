"""Fit the model and pack it with the code that serves it.

Reads ``train.csv`` of the channel ``train``; writes ``model.joblib``, ``features.json`` and ``code/inference.py`` to the
model folder, which SageMaker turns into the version's ``model.tar.gz``.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def fit(rows: pd.DataFrame, c: float, max_iterations: int) -> Pipeline:
    """Return a fitted model; the first column is the target."""
    if c <= 0:
        raise ValueError(f"hyperparameter c has to be positive, got {c}")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=max_iterations))
    return model.fit(rows.iloc[:, 1:].to_numpy(), rows.iloc[:, 0].to_numpy())


def save(model: Pipeline, features: list[str], folder: Path) -> None:
    """Write everything the endpoint needs."""
    joblib.dump(model, folder / "model.joblib")
    (folder / "features.json").write_text(json.dumps(features))
    code = folder / "code"
    code.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name("inference.py"), code)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--c", type=float, required=True)
    parser.add_argument("--max-iterations", type=int, required=True)
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
    given = parser.parse_args(arguments)
    rows = pd.read_csv(given.train / "train.csv")
    model = fit(rows, given.c, given.max_iterations)
    accuracy = accuracy_score(rows.iloc[:, 0], model.predict(rows.iloc[:, 1:].to_numpy()))
    print(f"rows={len(rows)}; train:accuracy={accuracy:.6f};")
    save(model, list(rows.columns[1:]), given.model_dir)


if __name__ == "__main__":
    main()
