"""Split the data into rows to learn from and rows held out to judge by.

Reads every CSV file of ``--input``; without one, the breast-cancer data that scikit-learn brings. Writes ``train.csv``
and ``test.csv``, header first, the target as the first column.
"""

import argparse
from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

CONTAINER = Path("/opt/ml/processing")


def load(folder: Path, target: str) -> pd.DataFrame:
    """Return all rows, the target first; raises ValueError for data that cannot be learned from."""
    files = sorted(folder.rglob("*.csv")) if folder.is_dir() else []
    if files:
        rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    else:
        rows = load_breast_cancer(as_frame=True).frame.rename(columns={"target": target})
    if target not in rows:
        raise ValueError(f"no column {target!r}; there are: {', '.join(rows.columns)}")
    if set(rows[target].unique()) != {0, 1}:
        raise ValueError(f"column {target!r} has to hold 0 and 1, and both")
    if incomplete := [name for name in rows if rows[name].isna().any()]:
        raise ValueError(f"values are missing in: {', '.join(incomplete)}")
    return rows[[target, *rows.columns.drop(target)]]


def split(rows: pd.DataFrame, target: str, test_fraction: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return train and test rows with the same share of each class."""
    train, test = train_test_split(rows, test_size=test_fraction, random_state=seed, stratify=rows[target])
    return train, test


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--test-fraction", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--input", type=Path, default=CONTAINER / "input" / "data")
    parser.add_argument("--output", type=Path, default=CONTAINER)
    given = parser.parse_args(arguments)
    rows = load(given.input, given.target)
    for name, part in zip(("train", "test"), split(rows, given.target, given.test_fraction, given.seed), strict=True):
        file = given.output / name / f"{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        part.to_csv(file, index=False)
        print(f"{name}: {len(part)} rows, {part.shape[1] - 1} features, {part[given.target].mean():.3f} positive")


if __name__ == "__main__":
    main()
