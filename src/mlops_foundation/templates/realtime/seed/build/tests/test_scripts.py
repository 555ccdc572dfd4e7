"""The scripts run one after the other on the real data, as the pipeline runs them."""

import json
import tarfile
from pathlib import Path

import evaluate
import inference
import pandas as pd
import preprocess
import pytest
import train


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Run preprocessing, training and evaluation once; return the folder with their results."""
    folder = tmp_path_factory.mktemp("run")
    preprocess.main(["--target", "target", "--test-fraction", "0.25", "--seed", "1", "--input", str(folder / "none"),
                     "--output", str(folder)])  # fmt: skip
    model = folder / "model"
    model.mkdir()
    train.main(["--c", "1.0", "--max-iterations", "1000", "--train", str(folder / "train"), "--model-dir", str(model)])
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(model, ".")
    evaluate.main(["--model", str(folder), "--test", str(folder / "test"), "--output", str(folder)])
    return folder


def test_no_row_is_in_both_parts(run):
    parts = [pd.read_csv(run / name / f"{name}.csv") for name in ("train", "test")]
    assert sum(map(len, parts)) == 569
    assert len(pd.concat(parts).drop_duplicates()) == 569
    shares = [part["target"].mean() for part in parts]
    assert abs(shares[0] - shares[1]) < 0.02


def test_model_is_good_on_rows_it_has_not_seen(run):
    metrics = json.loads((run / "evaluation.json").read_text())["binary_classification_metrics"]
    assert metrics["accuracy"]["value"] > 0.93
    assert sum(count for row in metrics["confusion_matrix"].values() for count in row.values()) == 143


def test_endpoint_code_answers_like_the_model(run):
    loaded = inference.model_fn(str(run / "model"))
    rows = pd.read_csv(run / "test" / "test.csv").iloc[:5, 1:]
    expected = loaded["model"].predict_proba(rows.to_numpy())[:, 1]
    for body, content_type in (
        (rows.to_csv(header=False, index=False), "text/csv"),
        (json.dumps({"instances": rows.to_numpy().tolist()}), "application/json"),
    ):
        text, accepted = inference.output_fn(
            inference.predict_fn(inference.input_fn(body, content_type), loaded), "application/json"
        )
        answers = json.loads(text)["predictions"]
        assert accepted == "application/json"
        assert [answer["probability"] for answer in answers] == pytest.approx(list(expected))
        assert [answer["label"] for answer in answers] == [int(value >= 0.5) for value in expected]


def test_packed_model_brings_the_code_that_serves_it(run):
    assert (run / "model" / "code" / "inference.py").read_text() == Path(inference.__file__).read_text()


def test_rows_of_the_wrong_width_are_refused(run):
    with pytest.raises(ValueError, match="30 features"):
        inference.predict_fn(inference.input_fn("1,2,3", "text/csv"), inference.model_fn(str(run / "model")))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("age,label\n1,0\n2,1\n", "no column 'target'"),
        ("age,target\n1,0\n2,2\n", "0 and 1"),
        ("age,target\n1,0\n,1\n", "values are missing in: age"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused(tmp_path, rows, message):
    (tmp_path / "rows.csv").write_text(rows)
    with pytest.raises(ValueError, match=message):
        preprocess.load(tmp_path, "target")


def test_own_data_is_read_from_all_files(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(f"age,target\n{number},0\n{number + 2},1\n")
    assert preprocess.load(tmp_path, "target").to_dict("list") == {"target": [0, 1, 0, 1], "age": [1, 3, 2, 4]}
