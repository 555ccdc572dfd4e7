"""Judge the model on the held-out rows; the report decides whether it is registered.

Reads ``model.tar.gz`` and ``test.csv``, writes ``evaluation.json`` in the form the model registry shows.
"""

import argparse
import io
import json
import tarfile
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_score, recall_score, roc_auc_score

CONTAINER = Path("/opt/ml/processing")


def report(actual: pd.Series, probability: pd.Series) -> dict:
    """Return the metrics of predictions.

    Args:
        actual: 0 or 1. Shape: (rows,)
        probability: Of class 1. Shape: (rows,)
    """
    predicted = (probability >= 0.5).astype(int)
    metrics = {
        "accuracy": accuracy_score(actual, predicted),
        "auc": roc_auc_score(actual, probability),
        "f1": f1_score(actual, predicted),
        "precision": precision_score(actual, predicted, zero_division=0),
        "recall": recall_score(actual, predicted),
    }
    (tn, fp), (fn, tp) = confusion_matrix(actual, predicted).tolist()
    return {
        "binary_classification_metrics": {
            "confusion_matrix": {"0": {"0": tn, "1": fp}, "1": {"0": fn, "1": tp}},
            **{name: {"value": float(value), "standard_deviation": "NaN"} for name, value in metrics.items()},
        },
        "dataset": {"item_count": len(actual)},
    }


def evaluate(archive: Path, rows: pd.DataFrame) -> dict:
    """Return the report of a packed model on rows whose first column is the target."""
    with tarfile.open(archive) as tar:
        packed = next(member for member in tar if Path(member.name) == Path("model.joblib"))
        model = joblib.load(io.BytesIO(tar.extractfile(packed).read()))
    return report(rows.iloc[:, 0], model.predict_proba(rows.iloc[:, 1:].to_numpy())[:, 1])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=CONTAINER / "model")
    parser.add_argument("--test", type=Path, default=CONTAINER / "test")
    parser.add_argument("--output", type=Path, default=CONTAINER / "evaluation")
    given = parser.parse_args(arguments)
    result = evaluate(given.model / "model.tar.gz", pd.read_csv(given.test / "test.csv"))
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "evaluation.json").write_text(json.dumps(result, indent=2))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
