"""How the endpoint answers: rows in, a label and its probability out.

Takes ``text/csv`` (no header, one row a line) or ``application/json`` (``{"instances": [[...], ...]}``), features in the
order of training. Answers ``{"predictions": [{"label": 0 or 1, "probability": of class 1}, ...]}``.

Source: https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html#serve-a-model
"""

import io
import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np


def model_fn(model_dir: str) -> dict[str, Any]:
    """Load what training packed."""
    folder = Path(model_dir)
    features = json.loads((folder / "features.json").read_text())
    return {"model": joblib.load(folder / "model.joblib"), "features": features}


def input_fn(body: str | bytes, content_type: str) -> np.ndarray:
    """Return the rows. Shape: (rows, features)."""
    text = body.decode() if isinstance(body, bytes) else body
    if content_type.startswith("text/csv"):
        return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)
    if content_type.startswith("application/json"):
        return np.array(json.loads(text)["instances"], dtype=float)
    raise ValueError(f"send text/csv or application/json, not {content_type!r}")


def predict_fn(rows: np.ndarray, loaded: dict[str, Any]) -> list[dict[str, float]]:
    """Return a prediction for each row."""
    expected = len(loaded["features"])
    if rows.ndim != 2 or rows.shape[1] != expected:
        raise ValueError(f"each row has to hold {expected} features, got an array of shape {rows.shape}")
    probabilities = loaded["model"].predict_proba(rows)[:, 1]
    return [{"label": int(value >= 0.5), "probability": float(value)} for value in probabilities]


def output_fn(predictions: list[dict[str, float]], accept: str) -> tuple[str, str]:
    """Return the answer and its type; JSON is the only one."""
    del accept
    return json.dumps({"predictions": predictions}), "application/json"
